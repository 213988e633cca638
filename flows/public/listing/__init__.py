"""The published list (公示名单) as the public gets it: searched, sorted, page by page, and as files.

A round's list is folded once for its database; what somebody asks for is then looked up in memory.

    listing = Listing.of(frame, titles)     rows as they are shown
    query = read_query({"q": "张", ...})     what somebody asks, and what of it makes no sense
    hits = found(listing, query)            the rows, in their order
    list_csv(...), list_xlsx(...)           the same rows as files
"""
