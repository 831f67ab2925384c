/** The replies of docs/amp-requirements.md, as exact text. */

const amp = 'http://jabber.org/protocol/amp';
const conditions = 'urn:ietf:params:xml:ns:xmpp-stanzas';

function one(rule: string): string {
  const [action, condition, value] = rule.split(' ');
  return `<rule action="${action}" condition="${condition}" value="${value}"/>`;
}

/** A report to romeo about a rule of his. */
export function reportXml(status: string, rule: string, recipient: string): string {
  const type = status === 'error' ? ' type="error"' : '';
  const failure =
    `<error type="modify" code="500"><undefined-condition xmlns="${conditions}"/>` +
    `<failed-rules xmlns="${amp}#errors">${one(rule)}</failed-rules></error>`;
  return (
    `<message from="capulet.example" to="romeo@montague.example/orchard" id="m1"${type}>` +
    `<amp xmlns="${amp}" status="${status}" from="romeo@montague.example/orchard" to="${recipient}">${one(rule)}</amp>` +
    `${status === 'error' ? failure : ''}</message>`
  );
}

const refusals = {
  'unsupported-actions': ['400', 'bad-request'],
  'unsupported-conditions': ['400', 'bad-request'],
  'invalid-rules': ['405', 'not-acceptable'],
} as const;

/** A refusal of romeo's rules. */
export function refusalXml(fault: keyof typeof refusals, all: readonly string[], listed: readonly string[]): string {
  const [code, condition] = refusals[fault];
  return (
    '<message from="capulet.example" to="romeo@montague.example/orchard" id="m1" type="error">' +
    `<amp xmlns="${amp}">${all.join('')}</amp>` +
    `<error type="modify" code="${code}"><${condition} xmlns="${conditions}"/>` +
    `<${fault} xmlns="${amp}">${listed.join('')}</${fault}></error></message>`
  );
}

/** An error about the whole of romeo's request. */
export function thinErrorXml(
  type: string,
  code: number,
  condition: string,
  rules: readonly string[],
  id = ' id="m1"',
): string {
  const content = rules.length > 0 ? `<amp xmlns="${amp}">${rules.join('')}</amp>` : `<amp xmlns="${amp}"/>`;
  return (
    `<message from="capulet.example" to="romeo@montague.example/orchard"${id} type="error">${content}` +
    `<error type="${type}" code="${code}"><${condition} xmlns="${conditions}"/></error></message>`
  );
}
