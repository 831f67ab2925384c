// The part of ltx that is used here. The package has no types.
declare module 'ltx' {
  export class Element {
    constructor(name: string);
    name: string;
    parent: Element | null;
    children: (Element | string)[];
    attrs: object;
    is(name: string, xmlns?: string): boolean;
    getName(): string;
    getNS(): string | undefined;
    findNS(prefix?: string): string | undefined;
    getChild(name: string, xmlns?: string): this | undefined;
    getChildren(name: string, xmlns?: string): this[];
    getChildText(name: string, xmlns?: string): string | null;
    getText(): string;
    toString(): string;
  }
}
