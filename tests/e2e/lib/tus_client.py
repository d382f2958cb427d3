"""Uploads a file with tuspy, in pieces, and again from where a first client stopped.

Usage: tus_client.py ENDPOINT TOKEN SESSION_ID FILE CHUNK_BYTES
Prints the address of the upload.
"""

import sys

from tusclient import client

endpoint, token, session_id, path, chunk_bytes = sys.argv[1:]
chunk_size = int(chunk_bytes)


def uploader(**more):
    tus = client.TusClient(endpoint, headers={"Authorization": f"Bearer {token}"})
    metadata = {"session_id": session_id, "filename": "from python é.txt", "filetype": "text/plain"}
    return tus.uploader(path, chunk_size=chunk_size, metadata=metadata, metadata_encoding="utf-8", upload_checksum=True, **more)


first = uploader()
first.upload_chunk()
assert first.offset == chunk_size, first.offset

# A second client knows only the address.
second = uploader(url=first.url)
assert second.get_offset() == chunk_size, second.get_offset()
second.upload()
print(second.url)
