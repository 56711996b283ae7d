"""A server of files on the loopback that understands requests for ranges of bytes."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class RangeHandler(SimpleHTTPRequestHandler):
    """Files below a folder; notes the bytes that it sends in `server.sent`."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        asked = re.fullmatch(r'bytes=(\d+)-(\d*)', self.headers.get('Range', ''))
        first, last = (int(asked[1]), int(asked[2] or len(content) - 1)) if asked else (0, len(content) - 1)
        part = content[first:last + 1]
        self.send_response(206 if asked else 200)
        self.send_header('Content-Length', str(len(part)))
        self.send_header('Accept-Ranges', 'bytes')
        self.send_header('Last-Modified', self.date_time_string(int(path.stat().st_mtime)))
        if asked:
            self.send_header('Content-Range', f'bytes {first}-{first + len(part) - 1}/{len(content)}')
        self.end_headers()
        self.wfile.write(part)
        self.server.sent.append(len(part))

    def log_message(self, *args: object) -> None:
        """Nothing."""


@contextmanager
def serve(folder: str | Path) -> Iterator[tuple[str, list[int]]]:
    """The address of a server of a folder, and the bytes of each answer."""
    server = ThreadingHTTPServer(('127.0.0.1', 0), partial(RangeHandler, directory=str(folder)))
    server.sent = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f'http://127.0.0.1:{server.server_port}', server.sent
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
