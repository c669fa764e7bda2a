"""A server answers one request: fastapi behind uvicorn on a port of the loopback."""

import json
import threading
import time
import urllib.request

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Item(BaseModel):
    name: str
    price: float


@app.post("/items")
def create(item: Item) -> dict[str, float]:
    return {item.name: item.price * 2}


server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
thread = threading.Thread(target=server.run)
thread.start()
until = time.monotonic() + 60
while not server.started:
    assert thread.is_alive()
    assert time.monotonic() < until
    time.sleep(0.05)
port = server.servers[0].sockets[0].getsockname()[1]
request = urllib.request.Request(
    f"http://127.0.0.1:{port}/items",
    data=b'{"name": "pear", "price": 1.5}',
    headers={"Content-Type": "application/json"},
)
with urllib.request.urlopen(request, timeout=30) as answer:
    assert json.load(answer) == {"pear": 3.0}
server.should_exit = True
thread.join()
print("server ok")
