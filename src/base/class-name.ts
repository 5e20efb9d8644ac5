const DECLARED = /\bclass\s+([\p{ID_Start}$_][\p{ID_Continue}$]*)/u;

/**
 * The name that a class was declared with; undefined for one without. From its source, since `name` is not right yet
 * while its static members are made, where a compiler has rewritten the decorators: esbuild calls a class `_Greeter` until
 * it is done, and one without a name `_a`. Underscores in front are therefore dropped, everywhere.
 */
export function declaredName(given: object): string | undefined {
  const source = Function.prototype.toString.call(given);
  const [, name] = DECLARED.exec(source.slice(0, source.indexOf('{'))) ?? [];
  return name === 'extends' ? undefined : name?.replace(/^_+(?=.)/, '');
}
