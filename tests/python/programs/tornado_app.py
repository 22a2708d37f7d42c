# SPDX-License-Identifier: MIT
"""An application of Tornado on Weft: prints its port, and serves until SIGTERM. /size/N has N bytes, after a while each."""
import asyncio
import signal

import tornado.web

import weft


class Hello(tornado.web.RequestHandler):
    def get(self):
        self.write("hello, tornado\n")


class Sized(tornado.web.RequestHandler):
    async def get(self, size):
        for _ in range(int(size) // 65536):
            self.write(b"x" * 65536)
            await self.flush()
            await asyncio.sleep(0.001)
        self.write(b"x" * (int(size) % 65536))


async def main():
    assert isinstance(asyncio.get_running_loop()._selector, weft.Selector)
    server = tornado.web.Application([("/", Hello), (r"/size/(\d+)", Sized)]).listen(0, "127.0.0.1")
    print(next(iter(server._sockets.values())).getsockname()[1], flush=True)
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    await end.wait()
    server.stop()
    await server.close_all_connections()


asyncio.set_event_loop_policy(weft.EventLoopPolicy())
asyncio.run(main())
