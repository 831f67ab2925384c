import { readHints } from '../../protocol/hints.ts';
import { hasKind, messageKind } from '../../protocol/message-kind.ts';
import { ns } from '../../protocol/namespaces.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { messageType } from '../../protocol/stanza-rules.ts';
import type { Payload } from '../../xml/payload.ts';

/** Whether a message is copied, by its type and its content (XEP-0280 §6.1). Errors depend on what they answer and are never eligible here. */
export function isEligible(message: Stanza): boolean {
  const { payload } = message;
  if (isPrivate(payload)) return false;
  switch (messageType(message)) {
    case 'chat':
      return true;
    case 'normal':
      return messageKind(payload) !== 'other';
    case 'headline':
      return hasKind(payload, 'receipt') || hasKind(payload, 'chat-state') || hasKind(payload, 'invitation');
    case 'groupchat':
    case 'error':
      return false;
  }
}

/** Whether the sender wants no copies (XEP-0280 §9, XEP-0334 §4.3). */
function isPrivate(payload: Payload): boolean {
  return payload.has('private', ns.carbons) || readHints(payload).noCopy;
}
