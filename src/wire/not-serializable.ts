/** A value that cannot be carried. `path` begins with the name the encoder was given: `args[0].user.save`. */
export class NotSerializable extends Error {
  readonly path: string;

  /** @param what the value is; whatever else there is to say to it, such as the error of a getter, is its cause */
  constructor(path: string, what: string, options?: ErrorOptions) {
    super(`${path} is ${what}, which cannot be carried to another process`, options);
    this.path = path;
  }
}
