/** The editor's shell: the bar, the canvas and the panels around it. */
export function App() {
  return <main>Weft</main>
}
