import GraphBuilding
import IR

extension Operator {
  /// Ops that count words.
  static let texts: [Operator] = [Operator("TfIdfVectorizer", one: countNGrams)]

  /// How often each n-gram of a pool stands in each line of tokens, which may lie several places apart.
  ///
  /// All places walk down the pool's tree at once, token by token: as many steps for each distance as the longest n-gram has tokens,
  /// whatever the text's length.
  private static func countNGrams(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let pool = try NGramPool(&n)
    guard x.element == .i32 || x.element == .i64, x.rank == 1 || x.rank == 2 else {
      throw OpError("its input is \(x.type), not lines of i32 or i64")
    }
    let lines = x.rank == 2 ? x : try n.unsqueeze(x, 0)
    let (rows, length) = (lines.shape[0], lines.shape[1])
    let tokens = try n.find(n.convert(lines, .i64), in: pool.tree.vocabulary)
    // Behind a line there is a token that no n-gram has.
    let none = n.scalar(.integer(Int64(pool.tree.vocabulary.count)), .i64)
    let padded = try n.pad(tokens, axis: 1, none, low: 0, high: 1)
    let grams = Extent(pool.columns.count)
    let start = try n.multiply(n.iota(.i64, lines.shape, axis: 0), n.scalar(of: grams, .i64))
    let first = try n.node(of: pool.tree, behind: n.splat(0, .i64, lines.shape), tokens)
    func walked(_ n: inout Lowering, _ distance: Value) throws(OpError) -> Value {
      let more = Extent(pool.tree.depth - 1)
      let buffer = try n.splat(0, .i64, [more] + lines.shape)
      return try n.loop(count: n.scalar(of: more, .i64), [buffer, first]) { (n, step, values) throws(OpError) in
        let offset = try n.multiply(n.add(step, 1), distance)
        let place = try n.add(n.iota(.i64, [length], axis: 0), offset)
        let next = try n.take(padded, n.map(.minimum, place, n.scalar(of: length, .i64)), axis: 1)
        let node = try n.node(of: pool.tree, behind: values[1], next)
        return [try n.replacing(values[0], at: step, axis: 0, with: node), node]
      }[0]
    }
    // Tokens side by side, then those that lie farther apart, which single ones do not.
    var nodes = try n.unsqueeze(first, 0)
    if pool.tree.depth > 1 { nodes = try n.concatenate([nodes, walked(&n, n.scalar(1, .i64))], axis: 0) }
    var counts = try n.counted(nodes, pool.tree, start, n.splat(0, .i32, [rows * grams]))
    if pool.tree.depth > 1, pool.skips > 0 {
      let distances = n.arithmetic.minimum(Extent(pool.skips), length - 1)
      counts = try n.loop(count: n.scalar(of: distances, .i64), [counts]) { (n, step, values) throws(OpError) in
        [try n.counted(walked(&n, n.add(step, 2)), pool.tree, start, values[0])]
      }[0]
    }
    let result = try n.weighted(n.reshape(counts, [rows, grams]), pool)
    return x.rank == 2 ? result : try n.squeeze(result, 0)
  }
}

/// The attributes of `TfIdfVectorizer`.
private struct NGramPool {
  var tree: NGramTree
  /// For each n-gram its place in the result.
  var columns: [Int]
  /// For each n-gram what its count is multiplied by.
  var weights: [Double]?
  /// Whether counts above 1 are 1.
  var isBinary: Bool
  /// How many tokens may lie between two of an n-gram.
  var skips: Int

  init(_ n: inout Lowering) throws(OpError) {
    let mode = try n.required(n.string("mode"), "mode")
    let least = try n.required(n.int("min_gram_length"), "min_gram_length")
    let most = try n.required(n.int("max_gram_length"), "max_gram_length")
    let skips = try n.required(n.int("max_skip_count"), "max_skip_count")
    columns = try n.required(n.ints("ngram_indexes"), "ngram_indexes")
    let starts = try n.required(n.ints("ngram_counts"), "ngram_counts")
    let given = try n.floats("weights")
    guard ["TF", "IDF", "TFIDF"].contains(mode) else { throw OpError("attribute 'mode' is '\(mode)'") }
    guard least >= 1, least <= most, skips >= 0 else {
      throw OpError("it counts n-grams of \(least) to \(most) tokens with up to \(skips) between them")
    }
    if n.has("pool_strings") {
      guard !n.has("pool_int64s") else { throw OpError("it has the attributes 'pool_strings' and 'pool_int64s'") }
      throw .unsupported("tensors of strings")
    }
    let tokens = try n.required(n.ints("pool_int64s"), "pool_int64s")
    if let wrong = columns.first(where: { $0 < 0 || $0 >= 1 << 31 }) {
      throw OpError("attribute 'ngram_indexes' has the index \(wrong)")
    }
    guard !columns.isEmpty else { throw OpError("attribute 'ngram_indexes' is empty") }
    if let given, !given.isEmpty, given.count != columns.count {
      throw OpError("it has \(given.count) weights for \(columns.count) n-grams")
    }
    weights = mode == "TF" || given?.isEmpty ?? true ? nil : given
    isBinary = mode == "IDF"
    self.skips = min(skips, 1 << 31)
    tree = NGramTree(Array(Set(tokens)).sorted())
    let grams = try Self.grams(of: tokens, starts, count: columns.count)
    for (number, gram) in grams.enumerated() where (least...most).contains(gram.count) {
      guard tree.insert(gram, number) else {
        throw OpError("the n-gram \(Array(gram)) stands twice in attribute 'pool_int64s'")
      }
    }
    tree.finish()
  }

  /// The pool's n-grams, by length: `starts` says where those of each length begin.
  private static func grams(
    of tokens: [Int], _ starts: [Int], count: Int
  ) throws(OpError) -> [ArraySlice<Int>] {
    var grams: [ArraySlice<Int>] = []
    for (index, start) in starts.enumerated() {
      let end = index + 1 < starts.count ? starts[index + 1] : tokens.count
      guard start >= 0, start <= end, end <= tokens.count, (end - start) % (index + 1) == 0 else {
        throw OpError(
          "attribute 'ngram_counts' says that n-grams of \(index + 1) stand from \(start) to \(end) of \(tokens.count)")
      }
      for place in stride(from: start, to: end, by: index + 1) { grams.append(tokens[place..<place + index + 1]) }
    }
    guard grams.count == count else { throw OpError("it has \(grams.count) n-grams and \(count) indices for them") }
    return grams
  }
}

/// N-grams as a tree: an edge for each token, in one ascending list. Behind edge `p` lies node `p + 1`, node 0 is the root.
private struct NGramTree {
  /// All tokens, ascending. A token is its position, or their count where it is not among them.
  let vocabulary: [Int]
  /// For each edge the node that it leaves, times the number of tokens and one more, plus its token.
  private(set) var edges: [Int] = []
  /// For each node the n-gram that ends there, or -1; the last one is where no edge leads.
  private(set) var grams: [Int] = [-1]
  /// How many tokens the longest n-gram has.
  private(set) var depth = 0
  private var children: [[Int: Int]] = [[:]]

  init(_ vocabulary: [Int]) { self.vocabulary = vocabulary }

  var base: Int { vocabulary.count + 1 }

  /// Adds an n-gram; false where it has been added before.
  mutating func insert(_ gram: ArraySlice<Int>, _ number: Int) -> Bool {
    var node = 0
    for value in gram {
      let token = vocabulary.partitioningIndex(notBelow: value)
      if let next = children[node][token] {
        node = next
      } else {
        children[node][token] = children.count
        node = children.count
        children.append([:])
        grams.append(-1)
      }
    }
    guard grams[node] < 0 else { return false }
    grams[node] = number
    depth = max(depth, gram.count)
    return true
  }

  /// Numbers the nodes from the root downwards, so that edges ascend.
  mutating func finish() {
    var order = [0]
    var next = 0
    while next < order.count {
      for (token, child) in children[order[next]].sorted(by: { $0.key < $1.key }) {
        edges.append(next * base + token)
        order.append(child)
      }
      next += 1
    }
    grams = order.map { grams[$0] } + [-1]
    children = []
  }
}

extension [Int] {
  /// The position of the first element of an ascending list that is at least `value`.
  fileprivate func partitioningIndex(notBelow value: Int) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension Lowering {
  /// The nodes to which tokens lead.
  fileprivate mutating func node(of tree: NGramTree, behind node: Value, _ token: Value) throws(OpError) -> Value {
    try add(find(add(multiply(node, Double(tree.base)), token), in: tree.edges), 1)
  }

  /// Counts the n-grams that end at nodes, each in the line of its place, where the counts of that begin at `start`.
  fileprivate mutating func counted(
    _ nodes: Value, _ tree: NGramTree, _ start: Value, _ counts: Value
  ) throws(OpError) -> Value {
    let gram = try elements(of: vector(tree.grams), at: nodes)
    let place = try select(compare(.less, gram, 0), scalar(-1, .i64), add(gram, start))
    let one = try splat(1, .i32, nodes.shape)
    // What lies outside is dropped.
    return try scatter(one, into: counts, at: unsqueeze(place, place.rank), .add)
  }

  /// The columns of the result from the counts of n-grams.
  fileprivate mutating func weighted(_ counts: Value, _ pool: NGramPool) throws(OpError) -> Value {
    var result = try convert(pool.isBinary ? minimum(counts, 1) : counts, .f32)
    if let weights = pool.weights { result = try multiply(result, vector(weights, .f32)) }
    let width = (pool.columns.max() ?? 0) + 1
    if pool.columns == Array(0..<width) { return result }
    let columns = try transpose(result, [1, 0])
    let zeros = try splat(0, .f32, [Extent(width), counts.shape[0]])
    return try transpose(scatter(columns, into: zeros, at: unsqueeze(vector(pool.columns), 1), .add), [1, 0])
  }

  /// Where each number stands in an ascending list of different numbers, an i64; the list's length where it does not.
  mutating func find(_ x: Value, in list: [Int]) throws(OpError) -> Value {
    // With one less than a power of two, each step halves what is left.
    var steps = 0
    while list.count >= 1 << steps { steps += 1 }
    let filled = list + [Int](repeating: .max, count: (1 << steps) - list.count)
    let table = vector(filled)
    let start = try splat(0, .i64, x.shape)
    let span = scalar(.integer(Int64(1 << steps) >> 1), .i64)
    let found = try loop(count: scalar(Double(steps), .i64), [start, span]) { (n, _, values) throws(OpError) in
      let next = try n.add(values[0], values[1])
      let isBelow = try n.compare(.less, n.elements(of: table, at: n.subtract(next, 1)), x)
      return [try n.select(isBelow, next, values[0]), try n.map(.shiftRightLogical, values[1], n.scalar(1, .i64))]
    }[0]
    let count = scalar(Double(list.count), .i64)
    let isHit = try map(
      .and, compare(.less, found, count), compare(.equal, elements(of: table, at: found), x))
    return try select(isHit, found, count)
  }
}
