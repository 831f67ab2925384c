import { ns } from '../../protocol/namespaces.ts';
import { childElements, type Element, textOf, xml } from '../../xml/element.ts';

/** The elements with one value, by the kind of the value (RFC 6351). */
const simple: Readonly<Record<string, string>> = {
  nickname: 'text',
  title: 'text',
  role: 'text',
  note: 'text',
  url: 'uri',
  bday: 'date',
};
const nameParts = [
  ['surname', 'FAMILY'],
  ['given', 'GIVEN'],
  ['additional', 'MIDDLE'],
  ['prefix', 'PREFIX'],
  ['suffix', 'SUFFIX'],
] as const;
const addressParts = [
  ['pobox', 'POBOX'],
  ['ext', 'EXTADD'],
  ['street', 'STREET'],
  ['locality', 'LOCALITY'],
  ['region', 'REGION'],
  ['code', 'PCODE'],
  ['country', 'CTRY'],
] as const;

/** A vCard4 (XEP-0292) in the form of vcard-temp (XEP-0054), without the image, which is the avatar. */
export function olderVcard(vcard4: Element): Element {
  const card = xml('vCard', { xmlns: ns.vcard });
  for (const property of childElements(vcard4)) {
    const converted = olderProperty(property);
    if (converted) card.append(converted);
  }
  return card;
}

function olderProperty(property: Element): Element | undefined {
  const name = property.getName();
  const kind = simple[name];
  if (kind !== undefined) return textElement(name.toUpperCase(), textIn(property, kind));
  switch (name) {
    case 'fn':
      return textElement('FN', textIn(property, 'text'));
    case 'n':
      return xml('N', {}, ...partsOf(property, nameParts));
    case 'adr':
      return xml('ADR', {}, placeOf(property), ...partsOf(property, addressParts));
    case 'email':
      return group('EMAIL', [placeOf(property), xml('INTERNET')], textElement('USERID', textIn(property, 'text')));
    case 'tel':
      return group('TEL', [placeOf(property)], textElement('NUMBER', textIn(property, 'uri')?.replace(/^tel:/, '')));
    case 'org':
      return group('ORG', [], textElement('ORGNAME', textIn(property, 'text')));
    case 'impp': {
      const address = textIn(property, 'uri');
      return address?.startsWith('xmpp:') ? textElement('JABBERID', address.slice('xmpp:'.length)) : undefined;
    }
  }
  return undefined;
}

/** An element with one value behind others; undefined without a value. */
function group(
  name: string,
  others: readonly (Element | undefined)[],
  value: Element | undefined,
): Element | undefined {
  return value && xml(name, {}, ...others, value);
}

function partsOf(property: Element, parts: readonly (readonly [kind: string, name: string])[]): Element[] {
  return parts.flatMap(([kind, name]) => textElement(name, textIn(property, kind)) ?? []);
}

function textElement(name: string, text: string | undefined): Element | undefined {
  return text === undefined ? undefined : xml(name, {}, text);
}

/** The value of a property; undefined for none and for an empty one. */
function textIn(property: Element, kind: string): string | undefined {
  const child = property.getChild(kind);
  return (child && textOf(child)) || undefined;
}

/** Whether an address is that of the home or of the office. */
function placeOf(property: Element): Element | undefined {
  const type = property.getChild('parameters')?.getChild('type')?.getChildText('text')?.toLowerCase();
  return type === 'home' || type === 'work' ? xml(type.toUpperCase()) : undefined;
}
