/**
 * Bidirectional classes of the code points an identifier may hold (PRECIS IdentifierClass). They follow from the
 * blocks Unicode reserves for right-to-left scripts and from the general category, but for the code points listed.
 */
const rightToLeftBlocks = '[\\u0590-\\u08FF\\uFB1D-\\uFDFF\\uFE70-\\uFEFF\\u{10800}-\\u{10FFF}\\u{1E800}-\\u{1EFFF}]';
const arabicNumber = '[\\u0660-\\u0669\\u{10D30}-\\u{10D39}\\u{10D40}-\\u{10D49}]';
const europeanNumber = '[0-9\\u06F0-\\u06F9]';
const lettersAndDigits = `[[\\p{L}\\p{Nd}]--${arabicNumber}--${europeanNumber}]`;
const rightToLeftLetter = `[[${lettersAndDigits}&&${rightToLeftBlocks}]\\u05F3\\u05F4\\u06FD\\u06FE]`;
const neutralLetter = '[\\u02B9\\u02BA\\u02C6-\\u02CF\\u02EC\\u2E2F\\uA67F\\uA717-\\uA71F\\uA788]';
const leftToRightMark = '[\\p{Mc}\\u0CBF\\u0CC6\\u{11A07}\\u{11A08}\\u{11C3F}]';
const leftToRight = `[[${lettersAndDigits}--${rightToLeftBlocks}--${neutralLetter}]${leftToRightMark}\\u0F0B\\u3007]`;

const hasRightToLeft = new RegExp(`[${rightToLeftLetter}${arabicNumber}]`, 'v');
const startsRightToLeft = new RegExp(`^${rightToLeftLetter}`, 'v');
const hasLeftToRight = new RegExp(leftToRight, 'v');
const endsRightToLeft = new RegExp(`[${rightToLeftLetter}${arabicNumber}${europeanNumber}]\\p{Mn}*$`, 'v');
const hasArabicNumber = new RegExp(arabicNumber, 'v');
const hasEuropeanNumber = new RegExp(europeanNumber, 'v');

/**
 * Whether an identifier with right-to-left code points obeys the Bidi Rule (RFC 8264 §5.2.5, RFC 5893 §2);
 * one without them always does. No left-to-right start allows right-to-left code points after it.
 */
export function satisfiesBidiRule(identifier: string): boolean {
  if (!hasRightToLeft.test(identifier)) return true;
  return (
    startsRightToLeft.test(identifier) &&
    !hasLeftToRight.test(identifier) &&
    endsRightToLeft.test(identifier) &&
    !(hasArabicNumber.test(identifier) && hasEuropeanNumber.test(identifier))
  );
}
