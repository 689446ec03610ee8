"""From raw reviews, customers and orders to sentiment, segments, maps, an API, a web page and reports

Modules:

- `smart_customer_analysis.all`: The names of a session, by `from smart_customer_analysis.all import *` or `import smart_customer_analysis as sca`
- `smart_customer_analysis.app.access`: Who may ask: names of the server, keys and their scopes, requests a minute.
- `smart_customer_analysis.app.batches`: Many texts at once, as a job: lines of JSON in, lines of JSON out, in the same order.
- `smart_customer_analysis.app.jobs`: Reports are made one after the other, in a thread beside the answers; what does not fit is refused at once.
- `smart_customer_analysis.app.logs`: The log of the server: one JSON line for each request, with its id and without a word of what was asked or answered.
- `smart_customer_analysis.app.protocol`: Connections that keep nobody waiting: a request has a deadline, and there are only so many connections.
- `smart_customer_analysis.app.vendor`: Fetch the page's npm packages at their locked versions and copy what is served to `static/vendor/`.
- `smart_customer_analysis.app.workers`: Threads behind the routes. One runs the model, one explains, one counts tokens, two answer reads: a slow kind of request holds up its own kind only. What does not fit is refused at once.
- `smart_customer_analysis.cli`: Every step of the main job from a shell: readable output for people, `--json` for programs, one line when something is wrong
- `smart_customer_analysis.commands.common`: Options with one meaning, output for people or programs, and a question before something is removed
- `smart_customer_analysis.commands.examples`: One line for each, which its help shows
- `smart_customer_analysis.commands.schedule`: `sca report schedule`, `due`, `deliver`, `deliveries`, `clock`
- `smart_customer_analysis.config`: One object with every setting, and a table that says which place each value came from
- `smart_customer_analysis.daily`: New rows in, only they are predicted; what is proven is told once; a quiet day says one line
- `smart_customer_analysis.data.alphabets`: The letters and small words of forty languages, to tell one old encoding from another
- `smart_customer_analysis.data.archives`: gzip, bzip2 and zip, opened by content; damaged ones and bombs are refused
- `smart_customer_analysis.data.batch`: A row is loaded, rejected or a duplicate; a file that is not what the source describes is refused
- `smart_customer_analysis.data.clean`: Each step returns a new frame and a count; no text changes and no row leaves without a line in the table
- `smart_customer_analysis.data.codes`: One spelling of an id in all files, ISO codes of currencies and countries
- `smart_customer_analysis.data.countries`: Names, codes and other languages; and where a country lies
- `smart_customer_analysis.data.dates`: Formats in order, zones, numbers of seconds and of Excel; a text that fits two formats is counted
- `smart_customer_analysis.data.draft`: A source drafted from the files themselves, with reasons; where something is open, it is asked
- `smart_customer_analysis.data.duplicates`: MinHash over shingles, in a time that grows with the rows
- `smart_customer_analysis.data.entities`: Files with one header are a table; a table holds reviews, orders or customers; customers are matched across tables
- `smart_customer_analysis.data.files`: Paths are matched to the files of a source; each file is read in batches, with its hash and encoding
- `smart_customer_analysis.data.gazetteer`: An offline gazetteer of names as people write them: short forms, nicknames, other languages
- `smart_customer_analysis.data.geocode`: Free text becomes town, region, country and a point, offline; a joke becomes nothing
- `smart_customer_analysis.data.guesses`: Guesses with reasons, and questions where two readings fit the same values
- `smart_customer_analysis.data.habits`: Date formats, decimal and thousands marks told from the values, and what stays open is said
- `smart_customer_analysis.data.headings`: Names of columns in eight languages: text, rating, date, customer, order, amount, place and the rest
- `smart_customer_analysis.data.joins`: Joined files are read whole, reduced to one row per key, and each unusable row is counted
- `smart_customer_analysis.data.labelled`: Training, validation and test rows, each bounded, with the number there was
- `smart_customer_analysis.data.language`: Told by py3langid; a text that is too short gets no language
- `smart_customer_analysis.data.load`: A shop is described by a small TOML file; reading it gives Review, Customer and Order frames, and the fate of every row
- `smart_customer_analysis.data.look`: Format, encoding, delimiter, header and lines before it, told from the file; a sample of its rows
- `smart_customer_analysis.data.numbers`: Decimal and thousands marks as the source says, stars in the forms that shops write; anything else is refused
- `smart_customer_analysis.data.parts`: Paths, lines of an order, dates, numbers, ratings: settings of a source with reasons, or questions
- `smart_customer_analysis.data.paths`: Folders, zips and standard input, listed; patterns with and without folders
- `smart_customer_analysis.data.places`: Coordinates that are swapped or lost
- `smart_customer_analysis.data.read`: Five readers that are strict, fast, and know the line number of everything they refuse
- `smart_customer_analysis.data.review_text`: Title and text as one, the same in training, scoring, erasing and export
- `smart_customer_analysis.data.roles`: Names propose, values decide; where two columns are as good, both are named
- `smart_customer_analysis.data.rules`: Numbers, dates, coordinates and ids, each refused row with its rule
- `smart_customer_analysis.data.sample`: A seeded shop with planted segments, one planted hot spot, one planted change, and dirty rows that are counted
- `smart_customer_analysis.data.scales`: Stars, 0 to 10, percent, "4/5", words: how each becomes one to five stars, and when nobody can tell
- `smart_customer_analysis.data.sentences`: Reviews in sentences, with their places in the text
- `smart_customer_analysis.data.source`: A small TOML file: files or a query, columns, formats, joins
- `smart_customer_analysis.data.split`: A split by seed in which no person and no text, not even a nearly equal one, stands on both sides
- `smart_customer_analysis.data.sql`: One SELECT, read-only and streamed, every value as text
- `smart_customer_analysis.data.text`: HTML and invisible characters go, personal data is masked
- `smart_customer_analysis.data.unclean`: One pass over the bytes of a column; a text in which no step finds anything is not looked at again
- `smart_customer_analysis.errors`: The kind tells a caller what to do: correct the data, choose another model, or try later
- `smart_customer_analysis.files`: Write beside it, then replace; hashes of files and of texts
- `smart_customer_analysis.findings`: Sentiment, segments, themes and map of a shop in memory, with the figures of the page
- `smart_customer_analysis.geo.cells`: H3 cells at several sizes, counted so that no small group can be worked out by subtraction
- `smart_customer_analysis.geo.detector`: `fit` tests the places, `predict` says which hot spot a point lies in
- `smart_customer_analysis.geo.hotspots`: A local test per cell with its neighbours, corrected for the number of cells, believed only if two of three cell sizes agree
- `smart_customer_analysis.geo.outlines`: Borders of countries from Natural Earth, soft borders of regions drawn round the customers
- `smart_customer_analysis.health`: Libraries, folders, database, model, loads and reports, without changing anything
- `smart_customer_analysis.insight.changes`: Two periods, many groups, one test each; only what survives all of them becomes a sentence
- `smart_customer_analysis.insight.charts`: Every figure of reports, notebooks and documentation, in one look
- `smart_customer_analysis.insight.estimate`: Stars count as they are, predictions stand in where there are none, and the customer is the unit
- `smart_customer_analysis.insight.maps`: Cells with their outlines, hot spots numbered
- `smart_customer_analysis.insight.shares`: One share per group from stars and predictions, with a range that keeps its promise, and small groups hidden
- `smart_customer_analysis.insight.watch`: The last days of every group against the weeks before, so that a year of daily looks raises no false alarm
- `smart_customer_analysis.labelling`: The next reviews, a label at once in every share, and a way back
- `smart_customer_analysis.migrations.versions.0001_first_tables`: The first tables.
- `smart_customer_analysis.migrations.versions.0002_keys_by_bytes`: Keys sorted by bytes on PostgreSQL, as SQLite sorts them; indexes that tell rows apart by their first column.
- `smart_customer_analysis.migrations.versions.0003_held_out`: Whether a model was trained on a review, stored with its prediction.
- `smart_customer_analysis.migrations.versions.0004_closes`: Daily closes, what they told, what was delivered to whom; and the encoding of loaded files.
- `smart_customer_analysis.migrations.versions.0005_own_columns`: The shop's own columns, kept with reviews, customers and orders.
- `smart_customer_analysis.migrations.versions.0006_models_in_use`: The model whose predictions of a source are shown.
- `smart_customer_analysis.migrations.versions.0007_keys`: Keys of the API.
- `smart_customer_analysis.migrations.versions.0008_labels`: Labels given by people.
- `smart_customer_analysis.migrations.versions.0009_themes`: Themes: runs, themes, the theme of each sentence, and edits by people.
- `smart_customer_analysis.migrations.versions.0010_languages`: The language of each review.
- `smart_customer_analysis.pipeline`: Files in; a model, segments, a database and a report out; and a summary of what happened to every row
- `smart_customer_analysis.places`: Cells, outlines and customers in a place, as the service gives them
- `smart_customer_analysis.privacy`: Pseudonyms at load; erasure from database, caches, tables and reports
- `smart_customer_analysis.promotion`: Two models on the same rows, and a gate
- `smart_customer_analysis.report.check`: One list of what to change, each with its cell
- `smart_customer_analysis.report.child`: A template runs in a process of its own, which stops and clears away when its starter is gone
- `smart_customer_analysis.report.deliver`: One message per recipient, with only the part that is theirs; recorded before it leaves, and tried again when a server is down
- `smart_customer_analysis.report.each`: One file per value that may be shown; a value that fails stops no other
- `smart_customer_analysis.report.failures`: Everybody who asked for failures, once per reason and day; also when the database is what failed
- `smart_customer_analysis.report.index`: A page, a JSON file and an Atom feed beside the reports, and how many of them are kept
- `smart_customer_analysis.report.page`: One HTML file that can be forwarded: no script, no request
- `smart_customer_analysis.report.parameters`: The lines of its parameter cell: name, type, default and comment
- `smart_customer_analysis.report.pdf`: An installed Chromium prints the page; nothing is downloaded
- `smart_customer_analysis.report.plan`: A small TOML file, checked as a whole; times are worked out in the zone of the reader
- `smart_customer_analysis.report.publish`: The pages that the index lists, copied file by file, the index last
- `smart_customer_analysis.report.requests`: Templates with their parameters, a request checked before anything starts, and the run itself
- `smart_customer_analysis.report.run`: Typed parameters in, one HTML file out; published only when its last cell ran
- `smart_customer_analysis.report.starter`: A notebook with parameters, a figure, a table, quotes and `finish`, which runs as it is
- `smart_customer_analysis.scale.engine`: One process, several, or a Ray cluster, with the same results; a worker that dies costs its shard one attempt
- `smart_customer_analysis.scale.shards`: A plan, shards that do not depend on the number of workers, a receipt for each, and a manifest of the whole
- `smart_customer_analysis.schema`: The vocabulary every other notebook uses: names, types, ranges and errors
- `smart_customer_analysis.segment.codebook`: A codebook: themes given by a phrase or by examples, and found ones renamed, merged, hidden
- `smart_customer_analysis.segment.customers`: `fit`, `predict`, letters that outlive a refit, and the evidence for the number of segments
- `smart_customer_analysis.segment.describe`: A name, one sentence, the numbers behind them, and two customers in their own words
- `smart_customer_analysis.segment.features`: One row of plain numbers per customer, or per review where a shop has no customers
- `smart_customer_analysis.segment.identity`: Letters that outlive a refit; births, deaths, splits and merges as sentences; a table of who went where
- `smart_customer_analysis.segment.kmeans`: KMeans with the evidence for its number of segments, in seconds also for 100,000 customers
- `smart_customer_analysis.segment.refit`: A refit keeps what is still there and changes what is not
- `smart_customer_analysis.segment.theme_weeks`: A week later: the same names for the same subjects, and a new subject told as new
- `smart_customer_analysis.segment.themes`: Themes of sentences, the same for the same sentences in any order
- `smart_customer_analysis.sentiment.cache`: Blocks of predictions on disk; a killed run goes on where it was
- `smart_customer_analysis.sentiment.card`: The calibration and metrics of the held-out rows, and the model card written from them
- `smart_customer_analysis.sentiment.classifier`: `fit`, `predict`, `predict_proba`, embeddings by `transform`, and no answer where the error allowed would be exceeded
- `smart_customer_analysis.sentiment.dataset`: Every review is tokenised once; reviews of like length share a batch; a long review becomes overlapping windows
- `smart_customer_analysis.sentiment.drift`: A reference profile of the held-out texts and a test of new texts against it
- `smart_customer_analysis.sentiment.evaluate`: No accuracy without its interval, no model without what you would use instead
- `smart_customer_analysis.sentiment.explain`: Integrated gradients, with a check that they are faithful
- `smart_customer_analysis.sentiment.history`: One line per change of the model in force
- `smart_customer_analysis.sentiment.lexical`: TF-IDF over tokens and pairs is worse alone than the network, and wrong elsewhere; both together are right more often
- `smart_customer_analysis.sentiment.loaded`: Verified, loaded once, locked for one caller at a time; nothing in the folder is ever executed
- `smart_customer_analysis.sentiment.predict`: Predictions with a calibrated probability, and a guarantee on the error of those that are given
- `smart_customer_analysis.sentiment.registry`: A folder that is complete or not used, and one active version
- `smart_customer_analysis.sentiment.runtime`: Exported once, measured here, and used only where it is faster and the predictions stay
- `smart_customer_analysis.sentiment.scope`: Language, length, subject and characters of the texts a model was trained and measured on; a text outside gets no answer
- `smart_customer_analysis.sentiment.scoring`: Margin, embedding and number of tokens of each text, long texts in windows
- `smart_customer_analysis.sentiment.sentence_states`: The pass that scores a review also leaves the states of its sentences, on disk, until the themes have read them
- `smart_customer_analysis.sentiment.sentences`: Embedding and probability of every sentence, at the cost of the review alone
- `smart_customer_analysis.sentiment.shards`: The texts are cut into shards on disk, each worker loads the model once, and every answer has its receipt
- `smart_customer_analysis.sentiment.train`: Two passes over a few thousand reviews, on two cores, in minutes; killed at any moment, it goes on where it was
- `smart_customer_analysis.service`: One method per question, plain dictionaries as answers, and no HTTP
- `smart_customer_analysis.shop`: A shop in memory: sentiment, segments, themes and map of a DataFrame, a file or a query
- `smart_customer_analysis.stats`: The Wilson interval of a share, and the counts of right and wrong predictions, each in one place
- `smart_customer_analysis.steps.export`: Reviews, customers, orders, predictions and segments as Parquet and CSV
- `smart_customer_analysis.steps.files`: Score a few hundred thousand reviews without a database, and measure a model on a labelled file
- `smart_customer_analysis.steps.load`: Read, clean, place and store piece by piece, as one load
- `smart_customer_analysis.steps.segment`: Features, clusters, the match to the last run, names, and one stored run
- `smart_customer_analysis.steps.sentiment`: Train where there are labels, score, abstain where the error cannot be kept, measure, store
- `smart_customer_analysis.steps.source`: The one that was named; else a draft, where every guess is sure; else nothing
- `smart_customer_analysis.steps.theme_fit`: Fitted once on a sample, carried on from then; what the shop gives comes first
- `smart_customer_analysis.steps.themes`: Sentences are read once, get a theme that lasts, and are stored with it
- `smart_customer_analysis.steps.watch`: Each complete day is tested once, and a change is told once
- `smart_customer_analysis.store.backup`: A copy of one moment with its counts, and a copy that is checked before and after it is put back
- `smart_customer_analysis.store.bulk`: COPY, a staging table, and one statement that inserts, updates or leaves alone
- `smart_customer_analysis.store.closes`: One row for each close; a change is told once
- `smart_customer_analysis.store.columns`: A time is a moment in UTC, keys are sorted by bytes, and every constraint has a name
- `smart_customer_analysis.store.deliveries`: A queue in the database: one row per report and recipient, which a repeat finds again
- `smart_customer_analysis.store.engine`: A URL becomes an engine with spatial SQL on both backends, safe transactions, and one kind of error
- `smart_customer_analysis.store.erase`: From every table, together with every quote
- `smart_customer_analysis.store.filters`: One set of filters for page, API and reports, turned into SQL in one place
- `smart_customer_analysis.store.keys`: A key is shown once; the database keeps its hash
- `smart_customer_analysis.store.known`: Files by their content, and what these customers wrote before
- `smart_customer_analysis.store.labels`: A label is added, replaced or taken back, and the history stays
- `smart_customer_analysis.store.listed`: Every load with its counts, from one query, without a frame
- `smart_customer_analysis.store.loads`: One transaction for a load, the same result when it is repeated, and an exact way back
- `smart_customer_analysis.store.migrate`: Migrations forwards and back, and a check that refuses a foreign database
- `smart_customer_analysis.store.own`: The columns that a source keeps, spread from their JSON; only those of few values
- `smart_customer_analysis.store.pages`: How reviews are sorted, where a page ends, and what is shown of each review
- `smart_customer_analysis.store.places`: Boxes, circles, nearest points and GeoJSON, equal on both databases
- `smart_customer_analysis.store.query`: The reads of the library: facts, pages, segments, customers, overview; the same answers on both backends
- `smart_customer_analysis.store.results`: Each result with the model and the run it came from
- `smart_customer_analysis.store.sources`: The source that was named, or the one loaded last
- `smart_customer_analysis.store.spatial`: The PostGIS functions it needs, from shapely and pyproj
- `smart_customer_analysis.store.staging`: In memory while they are few, else in a file without a name
- `smart_customer_analysis.store.tables`: One set of tables for SQLite and for PostgreSQL with PostGIS; every row carries the load that wrote it
- `smart_customer_analysis.store.themes`: One run after the other, one present theme for each sentence, and edits that can be taken back
- `smart_customer_analysis.store.whole`: What every review counts as, and the region and segment of every customer; nothing else is read
- `smart_customer_analysis.summary`: Tables to look into, and a summary for people and programs
- `smart_customer_analysis.tables`: Column names are guessed or said; what can be read in two ways is asked; every row is accounted for
- `smart_customer_analysis.themes`: `fit` finds themes in the sentences of reviews, `transform` gives each review its share of each theme
- `smart_customer_analysis.view.account`: Arithmetic of the difference between two periods, by region, segment and product; not its cause
- `smart_customer_analysis.view.labels`: The one that narrows the range most, drawn with a known chance
- `smart_customer_analysis.view.own`: The values of a shop's own columns that enough customers share
- `smart_customer_analysis.view.proof`: Both shares, the test, the account, words, quotes and the weeks of one change or one hot spot
- `smart_customer_analysis.workers`: Results come in the order of their items, whatever process made them; one that dies costs time and no result"""

__version__ = "0.1.0"

_NAMES = (  # of `all`, each imported when it is first used: the package itself imports nothing
    "CustomerFeatures CustomerSegments FeatureScaler HotSpotDetector Predictor RFM Sentiment SentimentClassifier Shop "
    "ShopMap ShopSegments ShopThemes Themes TopicModel customer_features find_changes find_hotspots from_frame load "
    "map_figure read sample shares_by"
).split()


def __getattr__(name: str) -> object:
    if name in _NAMES:
        from importlib import import_module

        globals()[name] = value = getattr(import_module(".all", __name__), name)
        return value
    from difflib import get_close_matches

    near = get_close_matches(name, _NAMES, 3)
    hint = f"; did you mean {' or '.join(near)}?" if near and not name.startswith("_") else ""
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES})
