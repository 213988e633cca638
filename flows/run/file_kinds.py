"""What kind of file it is by its first bytes, whatever its name says."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
TEXT = "text, which belongs in a file named .csv"
GZIP = "gzip, which belongs in a file named .csv.gz"
PARQUET = "Parquet, which belongs in a file named .parquet"
EMPTY = "an empty file"
UNKNOWN = "bytes of no known kind"
NOT_UTF_8 = "bytes that are not UTF-8 (GBK, perhaps: save the file again as UTF-8)"
UTF_16 = "bytes that read as UTF-16: save the file again as UTF-8"
UTF_32 = "bytes that read as UTF-32: save the file again as UTF-8"
BEGINNINGS = {
    b"\xff\xfe\x00\x00": UTF_32,
    b"\x00\x00\xfe\xff": UTF_32,
    b"\xff\xfe": UTF_16,
    b"\xfe\xff": UTF_16,
    b"\x1f\x8b": GZIP,
    b"PAR1": PARQUET,
    b"PK\x03\x04": "a zip or an Excel file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
}
START_BYTES = 1 << 16  # so many are looked at
PAIRS = 32
CONTROL = {*range(32)} - {*b"\t\n\r"}


def kind_of(start: bytes) -> str:
    """The kind of a file by its first START_BYTES bytes."""
    lines = start.removeprefix(BYTE_ORDER_MARK).split()
    if not lines:
        return EMPTY
    for beginning, kind in BEGINNINGS.items():
        if start.startswith(beginning):
            return kind
    # of UTF-16 without a mark, one of each two bytes of plain text is zero
    zeros = sorted(start[each : 2 * PAIRS : 2].count(0) for each in (0, 1))
    if zeros[0] == 0 < zeros[1] and zeros[1] > len(start[: 2 * PAIRS]) // 4:
        return UTF_16
    line = start.splitlines()[0]
    noise = sum(byte in CONTROL for byte in line)
    if decodes(line) and noise <= len(line) // 8:
        return TEXT
    return UNKNOWN if noise else NOT_UTF_8


def decodes(text: bytes) -> bool:
    """Whether bytes are UTF-8; a character cut off at the end does not count."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.end >= START_BYTES - 4
    return True
