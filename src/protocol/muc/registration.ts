import { childNamed, type Element, textOf, xml } from '../../xml/element.ts';
import { formElement, ReceivedForm } from '../data-form.ts';
import { ns } from '../namespaces.ts';
import { StanzaError } from '../stanza-error.ts';

const nickField = 'muc#register_roomnick';

/** Reads a request to register: the nickname to reserve, or the end of the registration. Throws StanzaError. */
export function readRegistration(query: Element): string | 'remove' {
  if (childNamed(query, 'remove', ns.register)) return 'remove';
  const x = childNamed(query, 'x', ns.dataForm);
  const nick = x ? nickIn(ReceivedForm.fromElement(x)) : undefined;
  const plain = childNamed(query, 'username', ns.register) ?? childNamed(query, 'nick', ns.register);
  const wanted = nick ?? (plain && textOf(plain));
  if (!wanted) throw StanzaError.badRequest('the nickname is missing');
  return wanted;
}

function nickIn(form: ReceivedForm): string | undefined {
  if (form.type !== 'submit') throw StanzaError.badRequest('the form must be submitted');
  return form.text(nickField);
}

/** The form of a room, and the nickname that is registered already (XEP-0045 §7.10). */
export function registrationElement(nick: string | undefined): Element {
  const field = {
    var: nickField,
    type: 'text-single',
    label: 'Nickname',
    required: true,
    ...(nick !== undefined && { values: [nick] }),
  } as const;
  return xml(
    'query',
    { xmlns: ns.register },
    nick === undefined ? undefined : xml('registered'),
    nick === undefined ? undefined : xml('username', {}, nick),
    formElement({ type: 'form', formType: ns.mucRegister, title: 'Registration with the room', fields: [field] }),
  );
}
