"""The published rounds as one folder of files (data contract 10.3): no server, lasting addresses.

    site_files.py  every file of the site, by address
    summary.py     summary.json of a round: figures and digests, and nobody
    write.py       the folder: complete or absent

The pages are those of `luohu web`, by the same templates; an unpublished round is nowhere in it.
"""
