"""Drives slixmpp by the line protocol of client-process.ts."""
import asyncio
import io
import os
import ssl
import sys
from xml.etree import ElementTree

try:
    import aiohttp
except ImportError:
    # Without it slixmpp uploads nothing.
    aiohttp = None
import slixmpp

wait = asyncio.wait
# The service discovery of slixmpp 1.8 gives it coroutines, which Python 3.11 no longer takes.
asyncio.wait = lambda work, **options: wait([asyncio.ensure_future(each) for each in work], **options)


def say(*words):
    print(*(str(word) for word in words), sep='\t', flush=True)


def rules_in(element):
    return (' '.join((rule['action'], rule['condition'], rule['value'])) for rule in element)


class Client(slixmpp.ClientXMPP):
    def __init__(self, jid, password, ca_file):
        super().__init__(jid, password)
        self.ca_certs = ca_file
        self.auto_authorize = None
        self.auto_subscribe = False
        self.register_plugin('xep_0030')
        self.register_plugin('xep_0060')
        self.register_plugin('xep_0079')
        self.register_plugin('xep_0199')
        self.register_plugin('xep_0203')
        self.register_plugin('xep_0280')
        self.register_plugin('xep_0313')
        self.register_plugin('xep_0363')
        self.register_plugin('xep_0441')
        self.register_plugin('xep_0045')
        self.ended = asyncio.get_event_loop().create_future()
        self.comes_back = False
        self.add_event_handler('session_start', self.begin)
        self.add_event_handler('failed_auth', lambda stanza: self.refuse(stanza['condition']))
        self.add_event_handler('failed_all_auth', lambda _: self.finish())
        self.add_event_handler('ssl_invalid_chain', self.distrust)
        self.add_event_handler('connection_failed', self.distrust)
        self.add_event_handler('disconnected', lambda _: self.finish())
        self.add_event_handler('message', self.show_message)
        self.add_event_handler('carbon_sent', lambda message: self.show_carbon('sent', message['carbon_sent']))
        self.add_event_handler('carbon_received', lambda message: self.show_carbon('received', message['carbon_received']))
        self.add_event_handler('amp_notify', self.show_report)
        self.add_event_handler('amp_alert', self.show_report)
        self.add_event_handler('amp_error', self.show_amp_error)
        self.add_event_handler('pubsub_publish', self.show_item)
        self.add_event_handler('presence', self.show_presence)
        self.add_event_handler('groupchat_presence', self.show_presence)
        self.add_event_handler('roster_update', self.show_push)

    async def begin(self, _):
        await self.get_roster()
        self.send_presence()
        say('online', self.boundjid.full, self['feature_mechanisms'].mech.name)

    def refuse(self, condition):
        say('refused', condition)

    def distrust(self, error):
        say('untrusted' if isinstance(error, ssl.SSLCertVerificationError) else 'closed', error)
        self.finish()

    def finish(self):
        if self.comes_back:
            say('closed')
        elif not self.ended.done():
            self.ended.set_result(True)

    def show_message(self, message):
        if message['type'] == 'groupchat' and message['body']:
            say('said', message['from'], message['body'])
        if message['type'] in ('chat', 'normal') and message['body']:
            stamp = message.xml.find('{urn:xmpp:delay}delay')
            say('message', message['from'], message['body'], '' if stamp is None else stamp.get('stamp'))

    def show_carbon(self, direction, message):
        say('carbon', direction, message['from'], message['to'], message['body'])

    def show_report(self, message):
        amp = message['amp']
        say('report', amp['status'], message['id'], message['from'], *rules_in(amp))

    def show_amp_error(self, message):
        error = message['error']
        for name in ('failed_rules', 'unsupported_actions', 'unsupported_conditions', 'invalid_rules'):
            found = error.get_plugin(name, check=True)
            if found is not None:
                say('amp-error', name.replace('_', '-'), message['id'], error['condition'], *rules_in(found))

    def show_item(self, message):
        event = '{http://jabber.org/protocol/pubsub#event}'
        for items in message.xml.iter(event + 'items'):
            for item in items.iter(event + 'item'):
                say('item-of', message['from'], items.get('node'), item.get('id'), item[0].get('name'))

    async def publish(self, node, item_id, name, access_model, max_items):
        options = self['xep_0004'].make_form(ftype='submit')
        options.add_field(var='FORM_TYPE', ftype='hidden', value='http://jabber.org/protocol/pubsub#publish-options')
        options.add_field(var='pubsub#access_model', value=access_model)
        options.add_field(var='pubsub#max_items', value=max_items)
        options.add_field(var='pubsub#persist_items', value='true')
        payload = ElementTree.Element('{%s}thing' % node, name=name)
        try:
            await self['xep_0060'].publish(None, node, id=item_id, payload=payload, options=options)
            say('published', node, item_id)
        except slixmpp.exceptions.IqError as error:
            say('not-published', node, error.condition)

    async def bookmark(self, room, name):
        payload = ElementTree.Element('{urn:xmpp:bookmarks:1}conference', name=name, autojoin='true')
        await self['xep_0060'].publish(None, 'urn:xmpp:bookmarks:1', id=room, payload=payload)
        say('published', 'urn:xmpp:bookmarks:1', room)

    async def publish_avatar(self, image):
        self.register_plugin('xep_0084')
        avatars = self['xep_0084']
        digest = avatars.generate_id(image)
        await avatars.publish_avatar(image)
        await avatars.publish_avatar_metadata({'id': digest, 'type': 'image/png', 'bytes': len(image)})
        say('published', 'urn:xmpp:avatar:metadata', digest)

    async def show_items(self, jid, node):
        try:
            answer = await self['xep_0060'].get_items(jid, node)
            for item in answer['pubsub']['items']:
                say('item-of', jid, node, item['id'], item['payload'].get('name', ''))
            say('items-end', jid, node)
        except slixmpp.exceptions.IqError as error:
            say('no-items', jid, node, error.condition)

    def show_presence(self, presence):
        kind = presence.xml.get('type', 'available')
        say('presence', presence['from'], kind, presence.xml.findtext('{jabber:client}show', ''), presence['status'])

    def show_push(self, iq):
        if iq['type'] == 'set':
            for jid, item in iq['roster']['items'].items():
                say('push', jid, item['subscription'])

    async def obey(self, verb, *words):
        if verb == 'message':
            self.send_message(mto=words[0], mbody=words[1], mtype='chat')
        elif verb == 'upload':
            await self.upload(*words)
        elif verb == 'download':
            await self.download(*words)
        elif verb == 'carbons':
            await self['xep_0280'].enable()
            say('carbons-on')
        elif verb in ('archive', 'archive-backwards'):
            await self.read_archive(words[0] if words else None, verb == 'archive-backwards')
        elif verb == 'join':
            self['xep_0045'].join_muc(words[0], words[1])
        elif verb == 'open':
            await self['xep_0045'].set_room_config(words[0], self['xep_0004'].make_form(ftype='submit'))
            say('opened', words[0])
        elif verb == 'say':
            self.send_message(mto=words[0], mbody=words[1], mtype='groupchat')
        elif verb == 'kick':
            await self['xep_0045'].set_role(words[0], words[1], 'none')
        elif verb == 'resumable':
            self.comes_back = True
            self.register_plugin('xep_0198')
            self.add_event_handler('session_resumed', lambda _: say('resumed'))
            self.disconnect()
        elif verb == 'connect':
            self.connect(*self.place, **self.security)
        elif verb == 'archive-ends':
            metadata = (await self['xep_0313'].get_archive_metadata())['mam_metadata']
            say('archive-ends', metadata['start']['id'], metadata['end']['id'])
        elif verb == 'archive-fields':
            form = await self['xep_0313'].get_fields()
            say('archive-fields', *sorted(form.get_fields()))
        elif verb == 'archive-default':
            prefs = (await self['xep_0441'].set_preferences(default=words[0], always=[], never=[]))['mam_prefs']
            say('archive-default', prefs['default'])
        elif verb == 'wants':
            self.register_plugin('xep_0163')
            self['xep_0163'].add_interest(words[0])
            await self['xep_0115'].update_caps()
        elif verb == 'publish':
            await self.publish(*words)
        elif verb == 'items':
            await self.show_items(*words)
        elif verb == 'bookmark':
            await self.bookmark(*words)
        elif verb == 'avatar':
            await self.publish_avatar(words[0].encode())
        elif verb == 'rules':
            self.send_with_rules(*words)
        elif verb == 'amp-features':
            info = await self['xep_0079'].discover_support(jid=words[0])
            for feature in sorted(info['disco_info']['features']):
                say('feature', feature)
            say('features-end')
        elif verb == 'presence':
            self.send_presence(pshow=words[0], pstatus=words[1])
        elif verb == 'subscribe':
            self.send_presence(pto=words[0], ptype='subscribe')
        elif verb == 'approve':
            self.send_presence(pto=words[0], ptype='subscribed')
        elif verb == 'roster-add':
            await self.update_roster(words[0], name=words[1], groups=[words[2]])
        elif verb == 'roster':
            # With roster versioning an answer tells only what changed, and slixmpp adds that to what it has.
            await self.get_roster()
            for jid in self.client_roster:
                item = self.client_roster[jid]
                say('item', jid, item['name'], item['subscription'], ','.join(item['groups']))
            say('roster-end')
        elif verb == 'quit':
            self.comes_back = False
            self.disconnect()

    async def upload(self, name, text):
        data = text.encode()
        try:
            say('uploaded', await self['xep_0363'].upload_file(name, size=len(data), input_file=io.BytesIO(data)))
        except Exception as error:
            say('not-uploaded', type(error).__name__)

    async def download(self, url):
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            say('downloaded', answer.status, answer.content_type, await answer.text())

    async def read_archive(self, peer, reverse):
        async for message in self['xep_0313'].iterate(with_jid=peer, reverse=reverse, rsm={'max': 3}):
            result = message['mam_result']
            inner = result['forwarded']['stanza']
            say('archived', inner['from'], inner['body'], result['id'])
        say('archive-end')

    def send_with_rules(self, to, identifier, body, *rules):
        message = self.make_message(mto=to, mbody=body, mtype='chat')
        message['id'] = identifier
        for rule in rules:
            message['amp'].add_rule(*rule.split(' '))
        message.send()

    async def obey_lines(self):
        loop = asyncio.get_event_loop()
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            await self.obey(*line.decode().rstrip('\n').split('\t'))
        self.disconnect()


async def main(host, port, security, jid, password, ca_file):
    os.environ['SSL_CERT_FILE'] = ca_file
    client = Client(jid, password, ca_file)
    direct = security == 'direct'
    client.place = ((host, int(port)),)
    client.security = {'use_ssl': direct, 'force_starttls': not direct, 'disable_starttls': direct}
    client.connect(*client.place, **client.security)
    commands = asyncio.ensure_future(client.obey_lines())
    await client.ended
    commands.cancel()


asyncio.get_event_loop().run_until_complete(main(*sys.argv[1:]))
