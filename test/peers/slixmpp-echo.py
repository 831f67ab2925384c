"""A component (XEP-0114) that sends messages back. Run with: JID SECRET PORT CATEGORY TYPE, which it is by service discovery."""
import sys

import slixmpp


class Echo(slixmpp.ComponentXMPP):
    def __init__(self, jid, secret, port, category, kind):
        super().__init__(jid, secret, '127.0.0.1', int(port))
        self.register_plugin('xep_0030')
        self['xep_0030'].add_identity(category, kind)
        self.register_plugin('xep_0199')
        self.add_event_handler('session_start', lambda _: print('online', flush=True))
        self.add_event_handler('message', self.answer)

    def answer(self, message):
        if message['type'] != 'error' and message['body']:
            message.reply(f"you said: {message['body']}").send()


echo = Echo(*sys.argv[1:])
echo.connect()
echo.process(forever=True)
