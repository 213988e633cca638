"""Where a Dask scheduler may stand.

Anybody who can talk to one can run their own code as its owner, on restricted data.  So a standing one
needs certificates, unless it is on this machine or somebody takes the risk.
"""

import flows.orchestration.dask_settings  # noqa: F401  (before Dask reads its settings)

# isort: split
import ipaddress
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import dask
from distributed import Security

from flows.common.failures import BadUsage

CERTIFICATES = ("ca-file", "client.cert", "client.key")


def require_safe(address: str, *, insecure: bool) -> None:
    """Raise BadUsage for an address at which anybody could read what is sent, or send code."""
    scheme, host = parsed(address)
    if scheme == "tls":
        require_certificates(f"--dask {address}")
    elif not is_this_machine(host) and not insecure:
        raise BadUsage(
            f"--dask {address}: expected tls://, or an address of this machine: without"
            " certificates anybody on the way reads the delivery and runs code as the workers"
            " (--insecure-dask takes it all the same)"
        )


def require_certificates(option: str) -> None:
    """Raise BadUsage where Dask's settings name no certificates, or files that are none."""
    named = {name: dask.config.get(f"distributed.comm.tls.{name}", None) for name in CERTIFICATES}
    if missing := [f"distributed.comm.tls.{name}" for name, file in named.items() if not file]:
        raise BadUsage(
            f"{option}: expected certificates in Dask's settings, found none for"
            f" {', '.join(missing)} (docs/scale.md says how)"
        )
    for name, file in named.items():
        if "\n" not in file and not Path(file).is_file():  # the text of one may stand there as well
            raise BadUsage(
                f"{option}: distributed.comm.tls.{name}: expected a file, found none: {file}"
            )
    try:
        Security().get_connection_args("client")
    except (OSError, ValueError) as error:
        raise BadUsage(
            f"{option}: expected an authority, a certificate and the key that fits it, in PEM, in what"
            f" {', '.join(f'distributed.comm.tls.{name}' for name in CERTIFICATES)} name, found others"
            f" ({type(error).__name__})"
        ) from None


def parsed(address: str) -> tuple[str, str]:
    """Scheme and host of a scheduler's address; raises BadUsage for a text that is none."""
    with suppress(ValueError):
        found = urlsplit(address)
        more = found.path or found.query or found.fragment or found.username or found.password
        whole = address.isprintable() and not more  # urlsplit passes over a line's end
        if found.scheme in {"tcp", "tls"} and found.hostname and found.port and whole:
            return found.scheme, found.hostname
    raise BadUsage(f"--dask: expected tcp://HOST:PORT or tls://HOST:PORT, found {address!a}")


def is_this_machine(host: str) -> bool:
    """Whether a host is the loopback device."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
