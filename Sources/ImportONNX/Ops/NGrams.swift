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
    let key = pool.tree.key
    let tokens = try n.convert(n.find(n.convert(lines, .i64), in: pool.tree.vocabulary), key)
    // Behind a line there is a token that no n-gram has.
    let none = n.scalar(.integer(Int64(pool.tree.vocabulary.count)), key)
    let padded = try n.pad(tokens, axis: 1, none, low: 0, high: 1)
    let grams = Extent(pool.columns.count)
    let start = try n.multiply(n.iota(.i64, lines.shape, axis: 0), n.scalar(of: grams, .i64))
    let first = try n.elements(of: n.vector(pool.tree.firstNodes, key), at: tokens)
    func walked(_ n: inout Lowering, _ distance: Value) throws(OpError) -> Value {
      let more = Extent(pool.tree.depth - 1)
      let buffer = try n.splat(0, key, [more] + lines.shape)
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
    var rest: Extent?
    if pool.tree.depth > 1, pool.skips > 0 { rest = n.arithmetic.minimum(Extent(pool.skips), length - 1) }
    // As a scatter copies all counts, what all distances lead to is kept for one, if it is less.
    let kept = length.fixed.map { $0.multipliedReportingOverflow(by: pool.skips) }
    if let distances = rest, (distances.fixed ?? 0) > 0, let kept, !kept.overflow,
      kept.partialValue <= pool.columns.count / pool.tree.depth
    {
      let farther = try n.collecting(count: distances, []) { (n, step, _) throws(OpError) in
        [try walked(&n, n.add(step, 2))]
      }[0]
      nodes = try n.concatenate(
        [nodes, n.reshape(farther, [farther.shape[0] * farther.shape[1]] + lines.shape)], axis: 0)
      rest = nil
    }
    // Floats count exactly as far as a text is surely not.
    let isShort = length.fixed.map { $0 <= (1 << 24) / (pool.skips + 1) } ?? false
    var counts = try n.splat(0, isShort ? .f32 : .i32, [rows * grams])
    counts = try n.counted(nodes, pool.tree, start, counts)
    if let rest {
      counts = try n.loop(count: n.scalar(of: rest, .i64), [counts]) { (n, step, values) throws(OpError) in
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

  /// The type in which edges are told apart.
  var key: ElementType {
    let (last, overflows) = grams.count.multipliedReportingOverflow(by: base)
    return !overflows && last < Int(Int32.max) ? .i32 : .i64
  }

  /// For each token the node where it leads from the root.
  var firstNodes: [Int] {
    var nodes = [Int](repeating: grams.count - 1, count: base)
    for (place, edge) in edges.enumerated() where edge < base { nodes[edge] = place + 1 }
    return nodes
  }

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
    let gram = try convert(elements(of: vector(tree.grams, tree.key), at: nodes), .i64)
    let place = try select(compare(.less, gram, 0), scalar(-1, .i64), add(gram, start))
    let one = try splat(1, counts.element, nodes.shape)
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

  /// Where each number stands in an ascending list of different numbers; the list's length where it does not.
  mutating func find(_ x: Value, in list: [Int]) throws(OpError) -> Value {
    // With one less than a power of two, each step halves what is left.
    var steps = 0
    while list.count >= 1 << steps { steps += 1 }
    let highest = Int(x.element.highest.integerValue)
    let table = vector(list + [Int](repeating: highest, count: (1 << steps) - list.count), x.element)
    let start = try splat(0, x.element, x.shape)
    let span = scalar(.integer(Int64(1 << steps) >> 1), x.element)
    let found = try loop(count: scalar(Double(steps), .i64), [start, span]) { (n, _, values) throws(OpError) in
      let next = try n.add(values[0], values[1])
      let isBelow = try n.compare(.less, n.elements(of: table, at: n.subtract(next, 1)), x)
      let half = try n.map(.shiftRightLogical, values[1], n.scalar(1, x.element))
      return [try n.select(isBelow, next, values[0]), half]
    }[0]
    let count = scalar(Double(list.count), x.element)
    let isHit = try map(.and, compare(.less, found, count), compare(.equal, elements(of: table, at: found), x))
    return try select(isHit, found, count)
  }
}
