"""The shop: a page that counts its visits in the cache and lists its orders from the database."""

import http.server
import os

import psycopg2
import redis

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "RELEASE")) as file:
    RELEASE = file.read().strip()

cache = redis.Redis(os.environ["CACHE"], password=os.environ["CACHE_PASSWORD"])


def orders():
    with psycopg2.connect(os.environ["DATABASE"], connect_timeout=5) as database:
        with database.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS orders (id serial PRIMARY KEY)")
            cursor.execute("SELECT count(*) FROM orders")
            return cursor.fetchone()[0]


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/health":
            cache.ping()
            text = "well"
        else:
            text = "shop %s on %s: visit %d, %d orders" % (
                RELEASE,
                os.environ["NODE"],
                cache.incr("visits"),
                orders(),
            )
        self.send_response(200)
        self.end_headers()
        self.wfile.write((text + "\n").encode())


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Page).serve_forever()
