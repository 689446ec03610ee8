"""From raw reviews, customers and orders to sentiment, segments, maps, an API, a web page and reports

Modules:

- `smart_customer_analysis.app.vendor`: Fetch the page's npm packages at their locked versions and copy what is served to `static/vendor/`.
- `smart_customer_analysis.cli`: Every step of the main job from a shell: readable output for people, `--json` for programs, one line when something is wrong
- `smart_customer_analysis.config`: One object with every setting, and a table that says which place each value came from
- `smart_customer_analysis.data.clean`: Each step returns a new frame and a count; no text changes and no row leaves without a line in the table
- `smart_customer_analysis.data.geocode`: Free text becomes town, region, country and a point, offline, and a joke becomes nothing
- `smart_customer_analysis.data.load`: A shop is described by a small TOML file; reading it gives Review, Customer and Order frames, and the fate of every row
- `smart_customer_analysis.data.read`: Five readers that are strict, fast, and know the line number of everything they refuse
- `smart_customer_analysis.data.sample`: A seeded shop with planted segments, one planted hot spot, one planted change, and dirty rows that are counted
- `smart_customer_analysis.data.split`: A split by seed in which no person and no text, not even a nearly equal one, stands on both sides
- `smart_customer_analysis.geo.cells`: H3 cells at several sizes, counted so that no small group can be worked out by subtraction
- `smart_customer_analysis.geo.hotspots`: A local test per cell with its neighbours, corrected for the number of cells, believed only if two of three cell sizes agree
- `smart_customer_analysis.insight.changes`: Two periods, many groups, one test each; only what survives all of them becomes a sentence
- `smart_customer_analysis.insight.charts`: Every figure of reports, notebooks and documentation, in one look
- `smart_customer_analysis.insight.estimate`: Stars count as they are, predictions stand in where there are none, and the customer is the unit
- `smart_customer_analysis.insight.shares`: One share per group from stars and predictions, with a range that keeps its promise, and small groups hidden
- `smart_customer_analysis.migrations.versions.0001_first_tables`: The first tables.
- `smart_customer_analysis.migrations.versions.0002_keys_by_bytes`: Keys sorted by bytes on PostgreSQL, as SQLite sorts them; indexes that tell rows apart by their first column.
- `smart_customer_analysis.pipeline`: Files in; a model, segments, a database and a report out; and a summary that says what happened to every row
- `smart_customer_analysis.report.run`: Typed parameters in, one HTML file out; published only when the last cell said so
- `smart_customer_analysis.schema`: The vocabulary every other notebook uses: names, types, ranges, and the refusals
- `smart_customer_analysis.segment.describe`: A name, one sentence, the numbers behind them, and two customers in their own words
- `smart_customer_analysis.segment.features`: One row of plain numbers per customer, or per review where a shop has no customers
- `smart_customer_analysis.segment.identity`: Letters that outlive a refit; births, deaths, splits and merges as sentences; a table of who went where
- `smart_customer_analysis.segment.kmeans`: KMeans with the evidence for its number of segments, in seconds also for 100,000 customers
- `smart_customer_analysis.sentiment.dataset`: Every review is tokenised once; reviews of like length share a batch; a long review becomes overlapping windows
- `smart_customer_analysis.sentiment.evaluate`: No accuracy without its interval, no model without what you would use instead
- `smart_customer_analysis.sentiment.lexical`: TF-IDF over tokens and pairs is worse alone than the network, and wrong elsewhere; both together are right more often
- `smart_customer_analysis.sentiment.predict`: An answer that says how sure it is, how much of the text it rests on, and which words it came from
- `smart_customer_analysis.sentiment.registry`: A plain BERT classifier, published as a folder that is either whole or not used
- `smart_customer_analysis.sentiment.runtime`: Exported once, measured here, and used only where it is faster and the answers stay
- `smart_customer_analysis.sentiment.train`: Two passes over a few thousand reviews, on two cores, in minutes; killed at any moment, it goes on where it was
- `smart_customer_analysis.service`: One method per question, plain dictionaries as answers, and no HTTP
- `smart_customer_analysis.store.engine`: A URL becomes an engine that speaks spatial SQL on both backends, writes safely, and refuses a database that is not ours
- `smart_customer_analysis.store.loads`: One transaction for a load, the same result when it is repeated, and a way back
- `smart_customer_analysis.store.query`: Every read of the library: facts, pages, places, segments, overview; the same answers on both backends
- `smart_customer_analysis.store.tables`: One set of tables for SQLite and for PostgreSQL with PostGIS; every row knows the load it came from"""

__version__ = "0.1.0"
