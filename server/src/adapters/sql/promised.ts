/** A port as a synchronous store implements it. */
export type Sync<Port> = {
  readonly [Name in keyof Port]: Port[Name] extends (...args: infer Args) => Promise<infer Answer>
    ? (...args: Args) => Answer
    : never;
};

type Method = (...args: readonly unknown[]) => unknown;

/** The port of a synchronous store: answers become promises, exceptions become rejections. */
export const promised = <Port>(sync: Sync<Port>): Port =>
  Object.fromEntries(
    Object.entries<Method>(sync as Record<string, Method>).map(([name, method]) => [
      name,
      (...args: readonly unknown[]) =>
        new Promise((resolve) => {
          resolve(method(...args));
        }),
    ]),
  ) as Port;
