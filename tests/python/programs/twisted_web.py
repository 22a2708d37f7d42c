# SPDX-License-Identifier: MIT
"""A web server of Twisted on Weft: prints its port, and serves until SIGTERM. /size/N has N bytes, in parts."""
import weft.reactor

reactor = weft.reactor.install()

from twisted.internet import task  # noqa: E402  (after the reactor is there)
from twisted.web import resource, server  # noqa: E402


class Hello(resource.Resource):
    isLeaf = True

    def render_GET(self, request):
        if request.postpath[:1] != [b"size"]:
            return b"hello, twisted\n"
        self.send(request, int(request.postpath[1]))
        return server.NOT_DONE_YET

    def send(self, request, left):
        request.write(b"x" * min(left, 65536))
        if left > 65536:
            task.deferLater(reactor, 0.001, self.send, request, left - 65536)
        else:
            request.finish()


port = reactor.listenTCP(0, server.Site(Hello()), interface="127.0.0.1")
print(port.getHost().port, flush=True)
reactor.run()
