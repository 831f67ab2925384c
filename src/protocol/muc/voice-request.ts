import type { Element } from '../../xml/element.ts';
import { type DataForm, formElement, type ReceivedForm } from '../data-form.ts';
import type { Jid } from '../jid.ts';
import { jidOrNothing } from '../jid-or-nothing.ts';
import { ns } from '../namespaces.ts';
import { StanzaError } from '../stanza-error.ts';

/** The answer of a moderator to a request for voice (XEP-0045 §8.6). */
export interface VoiceAnswer {
  readonly nick: string;
  readonly jid: Jid;
  readonly isAllowed: boolean;
}

/** Reads a submitted form: a visitor's request for voice, or a moderator's answer. Throws StanzaError. */
export function readVoiceForm(form: ReceivedForm): VoiceAnswer | 'request' {
  const isAllowed = form.boolean('muc#request_allow');
  if (isAllowed === undefined) {
    if (form.text('muc#role') !== 'participant') throw StanzaError.badRequest('only voice can be requested');
    return 'request';
  }
  const [nick, jid] = [form.text('muc#roomnick'), jidOrNothing(form.text('muc#jid'))];
  if (nick === undefined || !jid) throw StanzaError.badRequest('the form does not say who is meant');
  return { nick, jid, isAllowed };
}

/** The form with which a moderator answers (XEP-0045 §8.6). */
export function voiceRequestElement(nick: string, jid: Jid): Element {
  const fields: DataForm['fields'] = [
    {
      var: 'muc#role',
      type: 'list-single',
      label: 'Requested role',
      values: ['participant'],
      options: [{ value: 'participant' }],
    },
    { var: 'muc#jid', type: 'jid-single', label: 'User', values: [jid.toString()] },
    { var: 'muc#roomnick', type: 'text-single', label: 'Nickname', values: [nick] },
    { var: 'muc#request_allow', type: 'boolean', label: 'Give voice to this user?', values: ['0'] },
  ];
  return formElement({ type: 'form', formType: ns.mucRequest, title: 'Request for voice', fields });
}
