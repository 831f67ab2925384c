import { childOf, parseTree, type Tree } from '../support/xml-tree.ts';

/**
 * What a client gets from a room, as one line. Presence: `+nick affiliation/role`, or `-nick …` if it is unavailable, then the full JID,
 * the status codes and more, if there are any. Messages: `nick: text`, `nick # subject`, `room ! codes`; `(late)` is part of the history.
 */
export function brief(stanza: Tree | string): string {
  const tree = typeof stanza === 'string' ? parseTree(stanza) : stanza;
  if (tree.attributes.get('type') === 'error') return `error ${conditionOf(tree)}`;
  if (tree.name === 'presence') return briefPresence(tree);
  return tree.name === 'message' ? briefMessage(tree) : `${tree.name} ${tree.attributes.get('type') ?? ''}`;
}

function briefPresence(tree: Tree): string {
  const x = aboutRoom(tree);
  const sign = tree.attributes.get('type') === 'unavailable' ? '-' : '+';
  const show = childOf(tree, 'show')?.text;
  return words(`${sign}${nickOf(tree)}`, x && itemOf(x), show && `(${show})`, x && codesOf(x), x && destroyOf(x));
}

function briefMessage(tree: Tree): string {
  const x = aboutRoom(tree);
  const [body, subject] = ['body', 'subject'].map((name) => childOf(tree, name));
  const late = childOf(tree, 'delay') && '(late)';
  const nick = nickOf(tree) || 'room';
  if (body) return words(`${nick}: ${body.text}`, late);
  if (subject) return words(`${nick} #`, subject.text, late);
  return words(`${nick} !`, x && itemOf(x), x && codesOf(x), x ? '' : tree.children.map(({ name }) => name).join(' '));
}

/** What the room says, as opposed to other extensions with an element of this name. */
function aboutRoom(tree: Tree): Tree | undefined {
  return tree.children.find(({ name, ns }) => name === 'x' && ns.startsWith('http://jabber.org/protocol/muc'));
}

function itemOf(x: Tree): string {
  const item = childOf(x, 'item');
  if (!item) return '';
  const { attributes } = item;
  const nick = attributes.get('nick');
  const reason = childOf(item, 'reason')?.text;
  const actor = childOf(item, 'actor')?.attributes.get('nick');
  return words(
    `${attributes.get('affiliation')}/${attributes.get('role')}`,
    attributes.get('jid'),
    nick && `nick=${nick}`,
    actor && `by=${actor}`,
    reason && `reason=${reason}`,
  );
}

function codesOf(x: Tree): string {
  const codes = x.children.filter(({ name }) => name === 'status').map(({ attributes }) => attributes.get('code'));
  return codes.sort().join(' ');
}

function destroyOf(x: Tree): string {
  const destroy = childOf(x, 'destroy');
  if (!destroy) return '';
  return words('destroyed', destroy.attributes.get('jid'), ...destroy.children.map(({ text }) => text));
}

function conditionOf(tree: Tree): string {
  const error = childOf(tree, 'error');
  return error?.children.map(({ name }) => name).join(' ') ?? '';
}

function nickOf({ attributes }: Tree): string {
  return attributes.get('from')?.split('/').slice(1).join('/') ?? '';
}

function words(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part).join(' ');
}
