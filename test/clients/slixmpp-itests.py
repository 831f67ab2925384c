"""Runs one of slixmpp's own integration tests against a server on another address: HOST PORT MODULE."""
import asyncio
import logging
import sys
import unittest

from slixmpp.clientxmpp import ClientXMPP

host, port, module = sys.argv[1:]
connect = ClientXMPP.connect
# The tests connect to wherever the domain's DNS leads; a server under test is elsewhere.
ClientXMPP.connect = lambda self, *args, **kwargs: connect(self, (host, int(port)))
wait = asyncio.wait
# The service discovery of slixmpp 1.8 gives it coroutines, which Python 3.11 no longer takes.
asyncio.wait = lambda work, **options: wait([asyncio.ensure_future(each) for each in work], **options)
logging.disable(logging.CRITICAL)
program = unittest.main(module=f'itests.{module}', argv=['itests'], exit=False)
sys.exit(not (program.result.wasSuccessful() and program.result.testsRun > 0))
