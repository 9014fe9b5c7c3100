/**
 * Looking things up by names that people and files choose. A node may be called `constructor`, and
 * every plain object seems to have that.
 */

type Named<T> = Readonly<Record<string, T>>

/** The same members in an object that inherits none; later ones take the place of earlier ones. */
export function bare<T>(...objects: readonly Named<T>[]): Named<T> {
  return Object.assign(Object.create(null) as Record<string, T>, ...objects) as Named<T>
}

/** The member of that name, if the object itself has it. */
export function own<T>(object: Named<T>, name: string): T | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined
}
