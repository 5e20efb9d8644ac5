const DECLARED = /\bclass\s+([\p{ID_Start}$_][\p{ID_Continue}$]*)/u;

/**
 * The name a class was declared with, or undefined for a class without a name. It is read from the source, because `name` can
 * still be wrong while the static members are created: a compiler that rewrites decorators, such as esbuild, calls the class
 * `_Greeter` until it is complete, and a class without a name `_a`. Leading underscores are therefore dropped everywhere.
 */
export function declaredName(given: object): string | undefined {
  const source = Function.prototype.toString.call(given);
  const [, name] = DECLARED.exec(source.slice(0, source.indexOf('{'))) ?? [];
  return name === 'extends' ? undefined : name?.replace(/^_+(?=.)/, '');
}
