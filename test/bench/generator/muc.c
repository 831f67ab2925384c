// What all scenarios with rooms send and read (XEP-0045). A user is called in a room as its account.
#include "xload.h"

void room_join(struct connection *c, const char *room) {
  send_text(c,
            "<presence to='%s/%s%d'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>",
            room, options.prefix, c->user);
}

void room_leave(struct connection *c, const char *room) {
  send_text(c, "<presence type='unavailable' to='%s/%s%d'/>", room, options.prefix, c->user);
}

// The room is there when its owner has accepted the configuration; until then others cannot join (XEP-0045 §10.1.2).
void room_accept_configuration(struct connection *c, const char *room, const char *fields) {
  send_text(c,
            "<iq type='set' id='make' to='%s'><query xmlns='http://jabber.org/protocol/muc#owner'>"
            "<x xmlns='jabber:x:data' type='submit'>%s</x></query></iq>",
            room, fields);
}

bool is_configuration_accepted(const char *stanza, u32 length) {
  return stanza[1] == 'i' && attribute_is(stanza, length, "id", "make");
}

bool is_own_presence(const char *stanza, u32 length) {
  return stanza[1] == 'p' && (contains(stanza, length, "code='110'") || contains(stanza, length, "code=\"110\""));
}
