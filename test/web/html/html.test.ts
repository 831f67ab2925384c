import { expect } from 'chai';
import { html } from '../../../src/web/html/html.ts';

describe('HTML templates', () => {
  const hostile = `"><script>alert('&')</script>\``;
  const escaped = '&quot;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;&#96;';

  it('escape texts', () => {
    expect(String(html`<p>${hostile}</p>`)).to.equal(`<p>${escaped}</p>`);
  });

  it('escape attributes', () => {
    expect(String(html`<a href="${hostile}">x</a>`)).to.equal(`<a href="${escaped}">x</a>`);
  });

  it('keep markup that a template made', () => {
    expect(String(html`<p>${html`<b>${hostile}</b>`}</p>`)).to.equal(`<p><b>${escaped}</b></p>`);
  });

  it('join lists, and escape each text in them', () => {
    expect(String(html`<ul>${['<', html`<li>`, 7]}</ul>`)).to.equal('<ul>&lt;<li>7</ul>');
  });

  it('write nothing for undefined and false', () => {
    expect(String(html`<p>${undefined}${false}</p>`)).to.equal('<p></p>');
  });

  it('do not take an object for markup because it looks like it', () => {
    const forged = JSON.parse('{"text":"<b>","toString":"<b>"}');
    expect(() => String(html`${forged}`)).to.throw();
  });
});
