import { expect } from 'chai';
import { requestedRange } from '../../../src/extensions/upload/byte-range.ts';
import { fileName } from '../../../src/extensions/upload/file-name.ts';
import { contentHeaders, mediaType } from '../../../src/extensions/upload/media-type.ts';

describe('the name of an uploaded file', () => {
  for (const [wanted, name] of [
    ['my summer.jpg', 'my summer.jpg'],
    ['Grüße 🌹.txt', 'Grüße 🌹.txt'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\romeo\\photo.png', 'photo.png'],
    ['dir/', 'file'],
    ['..', 'file'],
    [' ', 'file'],
    ['a\u0000b\r\nc\u2028.png', 'abc.png'],
    ['photo\u202Egpj.exe', 'photogpj.exe'],
    ['.hidden', '.hidden'],
    ['\uD800.png', '\uFFFD.png'],
    [`${'x'.repeat(300)}.jpeg`, `${'x'.repeat(195)}.jpeg`],
    [`${'ü'.repeat(150)}.png`, `${'ü'.repeat(98)}.png`],
    [`a.${'y'.repeat(300)}`, `a.${'y'.repeat(198)}`],
  ] as const)
    it(`${JSON.stringify(wanted.slice(0, 40))} is ${JSON.stringify(name.slice(0, 40))}`, () => {
      expect(fileName(wanted)).to.equal(name);
    });
});

describe('the media type of an uploaded file', () => {
  for (const [text, type] of [
    ['image/png', 'image/png'],
    [' Image/PNG ; charset=x', 'image/png'],
    ['application/vnd.oasis.opendocument.text', 'application/vnd.oasis.opendocument.text'],
    ['image', undefined],
    ['', undefined],
    ['image/png\r\nX: y', undefined],
    ['image/png,text/html', undefined],
    [`a/${'b'.repeat(200)}`, undefined],
  ] as const)
    it(`${JSON.stringify(text.slice(0, 40))} is ${type ?? 'none'}`, () => {
      expect(mediaType(text)).to.equal(type);
    });

  for (const type of ['image/png', 'image/jpeg', 'image/webp', 'audio/ogg', 'video/mp4'])
    it(`${type} is shown`, () => {
      const headers = contentHeaders('a', type);
      expect(headers['content-type']).to.equal(type);
      expect(headers['content-disposition']).to.match(/^inline; /);
    });

  for (const type of [
    ...['text/html', 'image/svg+xml', 'application/xhtml+xml', 'text/xml', 'application/pdf', 'text/javascript'],
    ...['text/css', 'application/wasm', 'text/plain', 'application/x-shockwave-flash', 'multipart/x-mixed-replace'],
    ...['message/rfc822', 'image/x-anything', 'application/octet-stream', 'constructor/prototype'],
  ])
    it(`${type} is only for saving`, () => {
      const headers = contentHeaders('a', type);
      expect(headers['content-type']).to.equal('application/octet-stream');
      expect(headers['content-disposition']).to.match(/^attachment; /);
    });

  it('comes with a sandbox, and with the name of the file', () => {
    const headers = contentHeaders(`it's "a" (1)*\r\nfile\u00fc.png`, 'image/png');
    expect(headers['content-disposition']).to.equal(
      "inline; filename*=UTF-8''it%27s%20%22a%22%20%281%29%2A%0D%0Afile%C3%BC.png",
    );
    expect(headers['content-security-policy']).to.match(/^sandbox; default-src 'none'/);
  });
});

describe('the range of a request (RFC 9110 §14.2)', () => {
  for (const [header, range] of [
    [undefined, undefined],
    ['bytes=0-0', { first: 0, last: 0 }],
    ['bytes=2-', { first: 2, last: 9 }],
    ['bytes=2-100', { first: 2, last: 9 }],
    ['Bytes=-3', { first: 7, last: 9 }],
    ['bytes=-100', { first: 0, last: 9 }],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=10-20', 'unsatisfiable'],
    ['bytes=5-4', undefined],
    ['bytes=-', undefined],
    ['bytes=0-1,3-4', undefined],
    ['bytes=a-b', undefined],
    ['lines=0-1', undefined],
    ['bytes=0-99999999999999999999', undefined],
  ] as const)
    it(`${header ?? 'nothing'} is ${JSON.stringify(range) ?? 'the whole'}`, () => {
      expect(requestedRange(header, 10)).to.deep.equal(range);
    });
});
