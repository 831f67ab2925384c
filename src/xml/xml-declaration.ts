import { malformed, tooMuch, XmlError } from './xml-error.ts';

const s = '[ \\t\\r\\n]';
const declaration = new RegExp(
  `^<\\?xml${s}+version${s}*=${s}*(?:"([^"]*)"|'([^']*)')` +
    `(?:${s}+encoding${s}*=${s}*(?:"([^"]*)"|'([^']*)'))?` +
    `(?:${s}+standalone${s}*=${s}*(?:"(?:yes|no)"|'(?:yes|no)'))?${s}*\\?>$`,
);

/** Refuses a declaration that is malformed, of another version than 1.0, or of another encoding than UTF-8 (RFC 6120 §11.5, RFC 6120 §11.6). */
export function checkDeclaration(text: string): void {
  const match = declaration.exec(text);
  if (match === null) malformed('malformed XML declaration');
  const version = match[1] ?? match[2] ?? '';
  const encoding = match[3] ?? match[4];
  if (!/^1\.[0-9]+$/.test(version)) malformed('malformed XML version');
  if (encoding !== undefined && !/^[A-Za-z][A-Za-z0-9._-]*$/.test(encoding)) malformed('malformed encoding name');
  if (encoding !== undefined && encoding.toLowerCase() !== 'utf-8') {
    throw new XmlError('unsupported-encoding', 'only UTF-8 is spoken here');
  }
  if (version !== '1.0') tooMuch('only XML 1.0 is spoken here');
}
