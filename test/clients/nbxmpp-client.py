"""Drives python-nbxmpp, the library of Gajim, by the line protocol of client-process.ts."""
import datetime
import hashlib
import os
import sys

from gi.repository import Gio, GLib
from nbxmpp.client import Client
from nbxmpp.const import ConnectionProtocol, ConnectionType, StreamError
from nbxmpp.http import HTTPSession
from nbxmpp.modules.user_avatar import Avatar, AvatarMetaData
from nbxmpp.protocol import JID, Iq, Message, Presence
from nbxmpp.structs import BookmarkData, DiscoIdentity, StanzaHandler

# Nothing below overrides how GLib checks a certificate; it only learns which authority to trust.
host, port, security, address, password, ca_file = sys.argv[1:]
Gio.TlsBackend.get_default().set_default_database(Gio.TlsFileDatabase.new(ca_file))

loop = GLib.MainLoop()
unread = b''
jid = JID.from_string(address)
client = Client()
http = HTTPSession()


def say(*words):
    print(*(str(word) for word in words), sep='\t', flush=True)


def on_login(_client, _signal):
    client.get_module('Roster').request_roster(callback=begin)


def begin(task):
    task.finish()
    client.get_module('BasePresence').send()
    say('online', client.get_bound_jid())


def on_failure(_client, _signal):
    domain, condition, text = client.get_error()
    if domain is StreamError.SASL:
        say('refused', condition)
    elif domain is StreamError.BAD_CERTIFICATE:
        say('untrusted', condition)
    else:
        say('closed', condition, text)
    loop.quit()


def on_message(_client, stanza, properties):
    if properties.is_pubsub_event:
        show_event(properties.jid, properties.pubsub_event)
    elif properties.is_carbon_message:
        say('carbon', properties.carbon.type, stanza.getFrom(), stanza.getTo(), properties.body)
    elif properties.body is not None and properties.type.value == 'groupchat':
        say('said', properties.from_, properties.body)
    elif properties.body is not None:
        stamp = ''
        if properties.has_server_delay:
            stamp = datetime.datetime.fromtimestamp(properties.timestamp, datetime.timezone.utc).isoformat()
        say('message', properties.from_, properties.body, stamp)


def show_event(sender, event):
    if isinstance(event.data, AvatarMetaData):
        say('avatar-news', sender, event.data.default)
    data = event.data if isinstance(event.data, list) else [event.data]
    for bookmark in data:
        if isinstance(bookmark, BookmarkData):
            say('bookmark', event.node, bookmark.jid, bookmark.name)


def on_presence(_client, stanza, properties):
    kind = properties.type.value or 'available'
    if properties.avatar_sha is not None:
        say('avatar', properties.jid, properties.avatar_sha)
    say('presence', properties.jid, kind, stanza.getShow() or '', properties.status or '')


def on_push(_client, _stanza, properties):
    say('push', properties.roster.item.jid, properties.roster.item.subscription)


def show_roster(task):
    for item in task.finish().items:
        say('item', item.jid, item.name, item.subscription, ','.join(item.groups))
    say('roster-end')


# The three places where Gajim looks for bookmarks.
bookmark_modules = {
    'urn:xmpp:bookmarks:1': 'NativeBookmarks',
    'storage:bookmarks': 'PEPBookmarks',
    'jabber:iq:private': 'PrivateBookmarks',
}


def show_bookmarks(task):
    place = task.get_user_data()
    for bookmark in task.finish():
        say('bookmark', place, bookmark.jid, bookmark.name)
    say('bookmarks-end', place)


def store_bookmarks(place, *rooms):
    bookmarks = [BookmarkData(jid=JID.from_string(room), name=name) for room, name in zip(rooms[::2], rooms[1::2])]
    client.get_module(bookmark_modules[place]).store_bookmarks(bookmarks)


def want(*nodes):
    module = client.get_module('EntityCaps')
    identity = DiscoIdentity(category='client', type='pc', name='nbxmpp')
    module.set_caps([identity], [f'{node}+notify' for node in nodes], 'https://client.example')
    client.get_module('BasePresence').send(caps=module.caps._asdict())


def show_photo(task):
    image, digest = task.finish().get_avatar()
    say('photo', task.get_user_data(), hashlib.sha1(image).hexdigest() if image else '', digest)


def publish_avatar(image):
    avatar = Avatar()
    avatar.add_image_source(image.encode(), 'image/png', 64, 64)
    # Tasks hold no lambda: their references to callbacks are weak.
    client.get_module('UserAvatar').set_avatar(avatar, callback=avatar_published)


def avatar_published(task):
    task.finish()
    say('avatar-published')


def fetch_avatar(contact, digest):
    module = client.get_module('UserAvatar')
    module.request_avatar_data(digest, jid=JID.from_string(contact), callback=show_avatar, user_data=contact)


def show_avatar(task):
    say('avatar-data', task.get_user_data(), task.finish().sha)


def upload(name, content_type, text):
    module = client.get_module('HTTPUpload')
    content = (content_type, text.encode())
    module.request_slot(f'upload.{jid.domain}', name, len(content[1]), content_type, callback=put, user_data=content)


def put(task):
    slot = task.finish()
    request = http.create_request()
    request.set_request_body(*task.get_user_data())
    for name, value in slot.headers.items():
        request.get_request_headers().append(name, value)
    request.send('PUT', slot.put_uri, callback=lambda done: say('uploaded', slot.get_uri, int(done.get_status())))


def fetch(uri):
    request = http.create_request()
    request.send('GET', uri, callback=lambda done: say('fetched', uri, int(done.get_status()), done.get_data().decode()))


def enable_carbons():
    iq = Iq(typ='set')
    iq.addChild('enable', namespace='urn:xmpp:carbons:2')
    client.send_stanza(iq, callback=lambda *_: say('carbons-on'))


def obey(verb, *words):
    if verb == 'message':
        client.send_stanza(Message(to=words[0], body=words[1], typ='chat'))
    elif verb == 'join':
        presence = Presence(to=f'{words[0]}/{words[1]}')
        presence.setTag('x', namespace='http://jabber.org/protocol/muc')
        client.send_stanza(presence)
    elif verb == 'say':
        client.send_stanza(Message(to=words[0], body=words[1], typ='groupchat'))
    elif verb == 'kick':
        client.get_module('MUC').set_role(words[0], words[1], 'none')
    elif verb == 'presence':
        client.get_module('BasePresence').send(show=words[0], status=words[1])
    elif verb == 'subscribe':
        client.get_module('BasePresence').subscribe(words[0])
    elif verb == 'approve':
        client.get_module('BasePresence').subscribed(words[0])
    elif verb == 'roster-add':
        client.get_module('Roster').set_item(words[0], words[1], [words[2]])
    elif verb == 'roster':
        client.get_module('Roster').request_roster(callback=show_roster)
    elif verb == 'carbons':
        enable_carbons()
    elif verb == 'wants':
        want(*words)
    elif verb == 'bookmarks':
        client.get_module(bookmark_modules[words[0]]).request_bookmarks(callback=show_bookmarks, user_data=words[0])
    elif verb == 'store-bookmarks':
        store_bookmarks(*words)
    elif verb == 'photo':
        contact = JID.from_string(words[0])
        client.get_module('VCardTemp').request_vcard(jid=contact, callback=show_photo, user_data=words[0])
    elif verb == 'publish-avatar':
        publish_avatar(*words)
    elif verb == 'fetch-avatar':
        fetch_avatar(*words)
    elif verb == 'upload':
        upload(*words)
    elif verb == 'fetch':
        fetch(*words)
    elif verb == 'quit':
        client.disconnect()


def on_input(descriptor, _condition):
    global unread
    received = os.read(descriptor, 65536)
    *lines, unread = (unread + received).split(b'\n')
    for line in lines:
        obey(*line.decode().split('\t'))
    if not received:
        client.disconnect()
    return bool(received)


client.set_username(jid.localpart)
client.set_domain(jid.domain)
client.set_resource(jid.resource or 'nbxmpp')
client.set_password(password)
client.set_custom_host(
    f'{host}:{port}',
    ConnectionProtocol.TCP,
    ConnectionType.DIRECT_TLS if security == 'direct' else ConnectionType.START_TLS,
)
client.subscribe('connected', on_login)
client.subscribe('disconnected', on_failure)
client.subscribe('connection-failed', on_failure)
client.register_handler(StanzaHandler(name='message', callback=on_message, priority=60))
client.register_handler(StanzaHandler(name='presence', callback=on_presence, priority=60))
client.register_handler(StanzaHandler(name='iq', callback=on_push, typ='set', ns='jabber:iq:roster', priority=60))
GLib.io_add_watch(sys.stdin.fileno(), GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, on_input)
client.connect()
loop.run()
