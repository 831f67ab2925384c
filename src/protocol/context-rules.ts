/** Joining_Type of Left_Joining or Dual_Joining (Unicode 17.0, DerivedJoiningType.txt). */
const joinsForward = [
  String.raw`\u0620\u0626\u0628\u062A-\u062E\u0633-\u063F\u0641-\u0647\u0649\u064A\u066E\u066F\u0678-\u0687`,
  String.raw`\u069A-\u06BF\u06C1\u06C2\u06CC\u06CE\u06D0\u06D1\u06FA-\u06FC\u06FF\u0712-\u0714\u071A-\u071D`,
  String.raw`\u071F-\u0727\u0729\u072B\u072D\u072E\u074E-\u0758\u075C-\u076A\u076D-\u0770\u0772\u0775-\u0777`,
  String.raw`\u077A-\u077F\u07CA-\u07EA\u0841-\u0845\u0848\u084A-\u0853\u0855\u0860\u0862-\u0865\u0868\u0886`,
  String.raw`\u0889-\u088D\u088F\u08A0-\u08A9\u08AF\u08B0\u08B3-\u08B8\u08BA-\u08C8\u1807\u1820-\u1878\u1887-\u18A8`,
  String.raw`\u18AA\uA840-\uA872\u{10AC0}-\u{10AC4}\u{10ACD}\u{10AD3}-\u{10ADC}\u{10ADE}-\u{10AE0}\u{10AEB}-\u{10AEE}`,
  String.raw`\u{10B80}\u{10B82}\u{10B86}-\u{10B88}\u{10B8A}\u{10B8B}\u{10B8D}\u{10B90}\u{10BAD}\u{10BAE}`,
  String.raw`\u{10D00}-\u{10D21}\u{10D23}\u{10EC3}\u{10EC4}\u{10EC6}\u{10EC7}\u{10F30}-\u{10F32}\u{10F34}-\u{10F44}`,
  String.raw`\u{10F51}-\u{10F53}\u{10F70}-\u{10F73}\u{10F76}-\u{10F81}\u{10FB0}\u{10FB2}\u{10FB3}\u{10FB8}\u{10FBB}`,
  String.raw`\u{10FBC}\u{10FBE}\u{10FBF}\u{10FC1}\u{10FC4}\u{10FCA}\u{10FCB}\u{1E900}-\u{1E943}`,
].join('');

/** Joining_Type of Right_Joining or Dual_Joining (Unicode 17.0, DerivedJoiningType.txt). */
const joinsBackward = [
  String.raw`\u0620\u0622-\u063F\u0641-\u064A\u066E\u066F\u0671-\u0673\u0675-\u06D3\u06D5\u06EE\u06EF\u06FA-\u06FC`,
  String.raw`\u06FF\u0710\u0712-\u072F\u074D-\u077F\u07CA-\u07EA\u0840-\u0858\u0860\u0862-\u0865\u0867-\u086A`,
  String.raw`\u0870-\u0882\u0886\u0889-\u088F\u08A0-\u08AC\u08AE-\u08C8\u1807\u1820-\u1878\u1887-\u18A8\u18AA`,
  String.raw`\uA840-\uA871\u{10AC0}-\u{10AC5}\u{10AC7}\u{10AC9}\u{10ACA}\u{10ACE}-\u{10AD6}\u{10AD8}-\u{10AE1}`,
  String.raw`\u{10AE4}\u{10AEB}-\u{10AEF}\u{10B80}-\u{10B91}\u{10BA9}-\u{10BAE}\u{10D01}-\u{10D23}\u{10EC2}-\u{10EC4}`,
  String.raw`\u{10EC6}\u{10EC7}\u{10F30}-\u{10F44}\u{10F51}-\u{10F54}\u{10F70}-\u{10F81}\u{10FB0}\u{10FB2}-\u{10FB6}`,
  String.raw`\u{10FB8}-\u{10FBF}\u{10FC1}-\u{10FC4}\u{10FC9}\u{10FCA}\u{1E900}-\u{1E943}`,
].join('');

/** Transparent code points: marks and ADLAM NASALIZATION MARK (the format characters among them are in no PRECIS class). */
const transparent = String.raw`[\p{Mn}\p{Me}\u{1E94B}]*`;

const joined = new RegExp(`(?<=[${joinsForward}]${transparent})\\u200C(?=${transparent}[${joinsBackward}])`, 'uy');

const joiner = /[\u200C\u200D]/g;
const middleDot = /(?<!l)\u00B7|\u00B7(?!l)/u;
const keraia = /\u0375(?!\p{Script=Greek})/u;
const geresh = /(?<!\p{Script=Hebrew})[\u05F3\u05F4]/u;
const katakanaMiddleDot = /\u30FB/u;
const japanese = /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u;
const arabicIndicDigit = /[\u0660-\u0669]/u;
const extendedArabicIndicDigit = /[\u06F0-\u06F9]/u;

/** The first code point of the text that lacks the context it needs (RFC 5892 appendix A). */
export function contextFault(text: string): string | undefined {
  return neighborFault(text) ?? scriptFault(text) ?? joinerFault(text);
}

/** Appendix A.3 to A.6. */
function neighborFault(text: string): string | undefined {
  return (middleDot.exec(text) ?? keraia.exec(text) ?? geresh.exec(text))?.[0];
}

/** Appendix A.7 to A.9. */
function scriptFault(text: string): string | undefined {
  if (katakanaMiddleDot.test(text) && !japanese.test(text)) return '\u30FB';
  return arabicIndicDigit.test(text) ? extendedArabicIndicDigit.exec(text)?.[0] : undefined;
}

/** Appendix A.1 and A.2. */
function joinerFault(text: string): string | undefined {
  for (const { 0: char, index } of text.matchAll(joiner)) {
    const before = Array.from(text.slice(Math.max(0, index - 2), index)).at(-1);
    if (!(before && isVirama(before)) && !(char === '\u200C' && isJoinedAt(text, index))) return char;
  }
  return undefined;
}

/**
 * Whether a code point's canonical combining class is Virama (9). The runtime has no property for it, but canonical ordering
 * shows it: only that class is moved after U+3099 (class 8) and before U+05B0 (class 10).
 */
function isVirama(char: string): boolean {
  return reorders(char, '\u3099') && reorders('\u05B0', char);
}

function reorders(first: string, second: string): boolean {
  return first !== second && (first + second).normalize('NFD') === second + first;
}

/** Whether the ZERO WIDTH NON-JOINER at this index separates letters that would be joined (RFC 5892 appendix A.1). */
function isJoinedAt(text: string, index: number): boolean {
  joined.lastIndex = index;
  return joined.test(text);
}
