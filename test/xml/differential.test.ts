import { expect } from 'chai';
import { cut, Dice, grow, mutate } from './mutations.ts';
import { type Answer, askOurs, askSaxes, Expat, isText, type Tree } from './oracles.ts';
import { clientHeader, read } from './reading.ts';

const { AMPERE_FUZZ_SEED, AMPERE_FUZZ_ROUNDS } = process.env;
const seed = Number(AMPERE_FUZZ_SEED ?? Date.now() % 1_000_000_007);
const rounds = Number(AMPERE_FUZZ_ROUNDS ?? 50);
const documentsPerRound = 1000;

/** What RFC 6120 has us refuse although it is well-formed XML: the byte order mark, other encodings, other versions. */
function isForeign(document: Buffer): boolean {
  const text = document.toString('latin1');
  const declaration = /^<\?xml\s[^>]*>/.exec(text)?.[0];
  if (declaration === undefined) return text.startsWith('\xef\xbb\xbf');
  return declaration.includes('encoding') || !/version\s*=\s*["']1\.0["']/.test(declaration);
}

/** Expat knows the names of the fourth edition of XML 1.0, we those of the fifth, as saxes does. */
function hasNewName(document: Buffer): boolean {
  const markup = document.toString('utf8').match(/<(?:"[^"]*"|'[^']*'|[^"'>])*/g) ?? [];
  return markup.some((tag) => /\P{ASCII}/u.test(tag));
}

/** Saxes trims the names of namespaces, which XML does not. */
function hasPaddedNamespace(document: Buffer): boolean {
  const values = document.toString('utf8').matchAll(/xmlns[^=<>]*=\s*(["'])(.*?)\1/gs);
  return Array.from(values).some(([, , value]) => value!.trim() !== value || value.includes('&'));
}

/** Whether another parser refuses the document too. */
function refuses(other: Answer, ours: string): boolean {
  return other === undefined || (ours === 'restricted-xml' && other.forbidden);
}

/**
 * What is wrong with our answer; undefined if nothing is. What we accept, all must accept as the same tree. What we
 * refuse, one of them must refuse: saxes takes `p:-a` for a name, expat takes 0 for a version. On a machine
 * without Python there is no expat, and what we refuse goes unconfirmed.
 */
function disagreement(document: Buffer, ours: Tree | string, expat: Answer[]): string | undefined {
  const saxes = isText(document) && !hasPaddedNamespace(document) ? [askSaxes(document)] : [];
  if (typeof ours === 'string') {
    const others = [...saxes, ...expat];
    if (isForeign(document) || expat.length === 0 || others.some((other) => refuses(other, ours))) return undefined;
    return `we alone say ${ours}`;
  }
  for (const other of hasNewName(document) ? saxes : [...saxes, ...expat]) {
    if (other === undefined || other.forbidden) return 'only we accept it';
    if (JSON.stringify(ours) !== JSON.stringify(other.tree)) return 'the trees differ';
  }
  return undefined;
}

describe(`the reader against saxes and expat (AMPERE_FUZZ_SEED=${seed})`, () => {
  let expat: Expat | undefined;
  before(() => {
    expat = Expat.start();
  });
  after(() => expat?.close());

  function documents(dice: Dice): Buffer[] {
    return Array.from({ length: documentsPerRound }, () => {
      let document = grow(dice);
      for (let times = dice.below(4); times > 0; times--) document = mutate(dice, document);
      return document;
    });
  }

  it(`${rounds * documentsPerRound} documents: the same verdict and the same tree`, async function () {
    this.timeout(rounds * 5000);
    const dice = new Dice(seed);
    let accepted = 0;
    for (let round = 0; round < rounds; round++) {
      const all = documents(dice);
      const answers = await expat?.ask(all);
      for (const [index, document] of all.entries()) {
        const ours = askOurs(document);
        if (typeof ours !== 'string') accepted++;
        const wrong = disagreement(document, ours, answers === undefined ? [] : [answers[index]]);
        expect(wrong, JSON.stringify(document.toString('latin1'))).to.equal(undefined);
      }
    }
    expect(accepted).to.be.above((rounds * documentsPerRound) / 10);
  });

  it('reads a stream of them the same, however it is cut', () => {
    const dice = new Dice(seed);
    for (const document of documents(dice)) {
      const stream = Buffer.concat([Buffer.from(clientHeader), document, document]);
      const chunks = cut(dice, stream);
      expect(read(chunks), JSON.stringify(document.toString('latin1'))).to.deep.equal(read([stream]));
    }
  });
});
