"""The shop: a page that counts its visits in the cache and lists its orders from the database."""

import contextlib
import http.server
import os
import time

import psycopg2
import redis

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "RELEASE")) as file:
    RELEASE = file.read().strip()

cache = redis.Redis(os.environ["CACHE"], password=os.environ["CACHE_PASSWORD"])

# one app node at a time makes the table
TABLE = """
SELECT pg_advisory_xact_lock(1);
CREATE TABLE IF NOT EXISTS orders (id serial PRIMARY KEY);
SELECT 0
"""


def query(text):
    database = psycopg2.connect(os.environ["DATABASE"], connect_timeout=5)
    with contextlib.closing(database), database, database.cursor() as cursor:
        cursor.execute(text)
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
                query("SELECT count(*) FROM orders"),
            )
        self.send_response(200)
        self.end_headers()
        self.wfile.write((text + "\n").encode())


if __name__ == "__main__":
    # the nodes of the shop are configured at the same time: the database may come later
    for attempt in range(50):
        try:
            query(TABLE)
            break
        except psycopg2.OperationalError as error:
            print("waiting for the database:", error)
            time.sleep(1)
    http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Page).serve_forever()
