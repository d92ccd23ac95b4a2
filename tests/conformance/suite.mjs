// The suite, without its command line: `list` names its tests, `run BASE [ID…]` runs them; both print JSON.
// Run from the folder of the installed suite.
import { pathToFileURL } from 'node:url'
import { createRequire } from 'node:module'

const home = pathToFileURL(process.cwd() + '/')
const load = path => import(new URL(path, home))
const suites = [...(await load('tests/index.mjs')).default, (await load('tests/surrogate-control.mjs')).default]

// What only a browser's cache can be asked is not asked of a gateway.
for (const suite of suites) suite.tests = suite.tests.filter(test => !test.browser_only)

async function run (base, ids) {
  const { runTests, getResults } = await load('client/runner.mjs')
  const fetch = createRequire(home)('node-fetch')
  const chosen = suites.map(suite => ({ ...suite, tests: suite.tests.filter(test => !ids.length || ids.includes(test.id)) }))
  await runTests(chosen, fetch, false, base)
  return getResults()
}

const list = () => suites.flatMap(suite => suite.tests.map(test => ({
  id: test.id, name: test.name, section: suite.id, kind: test.kind || 'required', needs: test.depends_on || []
})))

const [what, base, ...ids] = process.argv.slice(2)
console.log(JSON.stringify(what === 'list' ? list() : await run(base, ids)))
