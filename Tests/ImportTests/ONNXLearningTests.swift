import IR
import Testing

/// Classical models: words, trees, features.
@Suite struct ONNXLearningTests {
  typealias Model = ONNXTestModel
  typealias Attributes = [(String, Model.Attribute)]

  private func counting(_ shape: [Model.Dimension], _ changes: [String: Model.Attribute?] = [:]) -> Model {
    let attributes: [String: Model.Attribute?] = [
      "mode": .string("TF"), "min_gram_length": .int(1), "max_gram_length": .int(2), "max_skip_count": .int(0),
      "ngram_counts": .ints([0, 2]), "ngram_indexes": .ints([3, 0, 1, 2]),
      // 2, 3, then 5 6 and 5 5.
      "pool_int64s": .ints([2, 3, 5, 6, 5, 5]),
    ]
    let all = attributes.merging(changes) { $1 }.sorted { $0.key < $1.key }
    return Model(
      inputs: [.init("x", .i64, shape)],
      nodes: [
        .init("TfIdfVectorizer", ["x"], ["y"], all.compactMap { name, value in value.map { (name, $0) } }, name: "t")
      ],
      outputs: ["y"])
  }

  private let words = Literal(.i64, [2, 6], [2, 5, 5, 6, 2, 3, 5, 1, 6, 5, 5, 5].map { Scalar.integer($0) })

  @Test func nGramsAreCounted() throws {
    let model = counting(["n", "length"])
    // 3, then 5 6, 5 5, and 2 at the last place.
    #expect(try model.results([words])[0].numbers == [1, 1, 1, 2, 0, 0, 2, 0])
    let line = Literal.integers([5, 5, 6])
    let single = try counting(["length"]).results([line])[0]
    #expect(single.dimensions == [4] && single.numbers == [0, 1, 1, 0])
    for count in [0, 1] {
      let short = Literal(.i64, [1, count], [Scalar](repeating: .integer(2), count: count))
      #expect(try model.results([short])[0].numbers == [0, 0, 0, Double(count)])
    }
  }

  /// With tokens between, tokens by themselves are counted once all the same.
  @Test func nGramsWithSkips() throws {
    let model = counting(["n", "length"], ["max_skip_count": .int(1 << 62)])
    #expect(try model.results([words])[0].numbers == [1, 2, 1, 2, 0, 1, 6, 0])
    let pairs = counting(["n", "length"], ["max_skip_count": .int(1), "min_gram_length": .int(2)])
    #expect(try pairs.results([words])[0].numbers == [0, 2, 1, 0, 0, 1, 3, 0])
  }

  /// A short text and a large pool, whose counts are written once, and the same where the length is open.
  @Test func nGramsOfLargePools() throws {
    let pairs = (1...6).flatMap { a in (1...6).flatMap { b in [a, b] } }
    let changes: [String: Model.Attribute?] = [
      "pool_int64s": .ints(pairs), "ngram_counts": .ints([0, 0]), "ngram_indexes": .ints(Array(0..<36)),
      "max_skip_count": .int(2),
    ]
    let fixed = try counting([2, 6], changes).results([words])[0]
    let open = try counting(["n", "length"], changes).results([words])[0]
    #expect(fixed.numbers == open.numbers && fixed.dimensions == [2, 36])
    // 5 5 in the second line: twice side by side, once each at distances 2 and 3.
    #expect(fixed.numbers[36 + 28] == 4)
    #expect(fixed.numbers[..<36].reduce(0, +) == 12)
  }

  /// Each n-gram has a weight of its own, wherever its column is.
  @Test func nGramsAreWeighted() throws {
    let weights = Model.Attribute.floats([1, 10, 100, 1000])
    let model = counting(["n", "length"], ["mode": .string("TFIDF"), "weights": weights])
    #expect(try model.results([words])[0].numbers == [10, 100, 1000, 2, 0, 0, 2000, 0])
    let binary = counting(
      ["n", "length"], ["mode": .string("IDF"), "weights": weights, "ngram_indexes": .ints([0, 0, 0, 2])])
    #expect(try binary.results([words])[0].numbers == [111, 0, 1000, 0, 0, 1000])
  }

  /// The graph is as large for a long text as for a short one, and for many n-grams as for few.
  @Test func nGramsNeedNoMoreOpsForMoreWords() throws {
    let sizes = try [3, 3000].map { count in
      let pool = Array(0..<count)
      let model = counting(
        [1, .fixed(count)],
        [
          "pool_int64s": .ints(pool), "ngram_counts": .ints([0]), "ngram_indexes": .ints(pool),
          "max_skip_count": .int(count),
        ])
      return try model.module().entry?.graph.nodes.count
    }
    #expect(sizes[0] == sizes[1])
  }

  @Test(arguments: [
    (
      "pool_int64s", Model.Attribute.ints([2, 3, 5, 5, 5, 5]),
      "the n-gram [5, 5] stands twice in attribute 'pool_int64s'"
    ),
    ("ngram_indexes", .ints([0, 1, 2]), "it has 4 n-grams and 3 indices for them"),
    ("ngram_indexes", .ints([0, 1, 2, -1]), "attribute 'ngram_indexes' has the index -1"),
    ("ngram_counts", .ints([0, 1]), "attribute 'ngram_counts' says that n-grams of 2 stand from 1 to 6 of 6"),
    (
      "ngram_counts", .ints([0, 1 << 62]),
      "attribute 'ngram_counts' says that n-grams of 1 stand from 0 to 4611686018427387904 of 6"
    ),
    ("weights", .floats([1]), "it has 1 weights for 4 n-grams"),
    ("max_skip_count", .int(-1), "it counts n-grams of 1 to 2 tokens with up to -1 between them"),
    ("pool_strings", .strings(["a"]), "it has the attributes 'pool_strings' and 'pool_int64s'"),
    ("mode", .string("X"), "attribute 'mode' is 'X'"),
  ]) func nGramsAreRefused(_ name: String, _ value: Model.Attribute, _ sentence: String) {
    var changes: [String: Model.Attribute?] = [name: value]
    if name == "weights" { changes["mode"] = .string("IDF") }
    #expect(counting([6], changes).refusal == "node 't' (TfIdfVectorizer): \(sentence)")
  }

  // MARK: Trees

  private func model(_ op: String, _ x: Model.Input, _ attributes: Attributes, outputs: [String] = ["y"]) -> Model {
    Model(
      inputs: [x], nodes: [.init(op, [x.name], outputs, attributes, name: "t", domain: "ai.onnx.ml")], outputs: outputs)
  }

  private func bytes(_ values: [Int]) -> Model.Attribute {
    .tensor(Literal(.ui8, [values.count], values.map { .integer(Int64($0)) }))
  }

  /// Node 0 asks whether feature 0 is at most 2, node 1 whether it is 1, 5 or -3, node 2 whether feature 1 is greater than 0.
  private func ensemble(_ changes: [String: Model.Attribute?] = [:]) -> Model {
    let attributes: [String: Model.Attribute?] = [
      "n_targets": .int(2), "tree_roots": .ints([0, 2]), "nodes_modes": bytes([0, 6, 3]),
      "nodes_featureids": .ints([0, 0, 1]), "nodes_splits": .tensor(.floats([3], [2, .nan, 0])),
      "nodes_truenodeids": .ints([1, 0, 3]), "nodes_trueleafs": .ints([0, 1, 1]),
      "nodes_falsenodeids": .ints([2, 1, 4]), "nodes_falseleafs": .ints([1, 1, 1]),
      "nodes_missing_value_tracks_true": .ints([1, 1, 0]),
      "membership_values": .tensor(.floats([4], [1, 5, -3, .nan])),
      "leaf_targetids": .ints([0, 1, 1, 0, 0]), "leaf_weights": .tensor(.floats([5], [1, 2, 4, 8, 16])),
    ]
    let all = attributes.merging(changes) { $1 }.sorted { $0.key < $1.key }
    return model(
      "TreeEnsemble", .init("x", .f32, ["n", 2]), all.compactMap { name, value in value.map { (name, $0) } })
  }

  private let samples = Literal.floats([6, 2], [1, 1, 2, 1, -3, -1, 5, 0, 9, .nan, .nan, 1])

  @Test func treesAreWalked() throws {
    let sums = try ensemble().results([samples])[0]
    #expect(sums.dimensions == [6, 2])
    #expect(sums.numbers == [9, 0, 8, 2, 17, 0, 16, 4, 16, 4, 9, 0])
    let means = try ensemble(["aggregate_function": .int(0)]).results([samples])[0]
    #expect(means.numbers == sums.numbers.map { $0 / 2 })
    let least = try ensemble(["aggregate_function": .int(2)]).results([samples])[0]
    #expect(least.numbers == [1, 0, 8, 2, 1, 0, 16, 4, 16, 4, 1, 0])
    let none = try ensemble().results([Literal(.f32, [0, 2], [])])[0]
    #expect(none.dimensions == [0, 2])
  }

  @Test(arguments: [
    ("nodes_truenodeids", Model.Attribute.ints([0, 0, 3]), "node 0 of its trees lies below itself"),
    ("nodes_truenodeids", .ints([7, 0, 3]), "its trees have a node 7 of 3"),
    ("nodes_truenodeids", .ints([1]), "attributes 'nodes_featureids' and 'nodes_truenodeids' have 3 and 1 elements"),
    ("nodes_featureids", .ints([0, 0, 2]), "its trees decide by feature 2 of tensor<?x2xf32>"),
    ("nodes_featureids", .ints([0, 0, -1]), "its trees decide by feature -1 of tensor<?x2xf32>"),
    ("leaf_targetids", .ints([0, 1, 1, 0, 2]), "its trees vote for target 2 of 2"),
    ("tree_roots", .ints([3]), "its trees have a node 3 of 3"),
    ("n_targets", .int(0), "it has 0 targets"),
  ]) func treesAreRefused(_ name: String, _ value: Model.Attribute, _ sentence: String) {
    #expect(ensemble([name: value]).refusal == "node 't' (ai.onnx.ml.TreeEnsemble): \(sentence)")
  }

  @Test func setsOfMembersAreCounted() {
    #expect(
      ensemble(["membership_values": .tensor(.floats([4], [1, .nan, 2, .nan]))]).refusal
        == "node 't' (ai.onnx.ml.TreeEnsemble): attribute 'membership_values' has 2 sets for the nodes that ask for one"
    )
  }

  /// Trees of chains, of different lengths, which vote for one target each: as many ops for many deep trees as for few.
  private func chains(_ trees: Int, _ op: String, _ votes: String, _ extra: Attributes, outputs: [String] = ["y"])
    -> Model
  {
    var lists: [String: [Int]] = [:]
    var (values, modes, weights): ([Float], [String], [Float]) = ([], [], [])
    for tree in 0..<trees {
      let depth = tree + 1
      // Node d asks whether x is less than d; leaves come behind.
      for node in 0...2 * depth {
        let isLeaf = node >= depth
        lists["nodes_treeids", default: []].append(tree)
        lists["nodes_nodeids", default: []].append(node)
        lists["nodes_featureids", default: []].append(0)
        lists["nodes_truenodeids", default: []].append(isLeaf ? 0 : depth + node)
        lists["nodes_falsenodeids", default: []].append(isLeaf ? 0 : node + 1 < depth ? node + 1 : 2 * depth)
        values.append(Float(node))
        modes.append(isLeaf ? "LEAF" : "BRANCH_LT")
        guard isLeaf else { continue }
        lists["\(votes)_treeids", default: []].append(tree)
        lists["\(votes)_nodeids", default: []].append(node)
        lists["\(votes)_ids", default: []].append(tree % 3)
        weights.append(Float(node - depth))
      }
    }
    let attributes: Attributes = lists.sorted { $0.key < $1.key }.map { ($0.key, .ints($0.value)) }
    return model(
      op, .init("x", .i64, ["n", 1]),
      attributes + [
        ("nodes_values", .floats(values)), ("nodes_modes", .strings(modes)), ("\(votes)_weights", .floats(weights)),
      ]
        + extra, outputs: outputs)
  }

  /// Chain `t` gives `x + 1`, from 0 to its length `t + 1`.
  @Test func regressors() throws {
    let extra: Attributes = [("n_targets", .int(3)), ("base_values", .floats([0, 10, 20]))]
    let few = chains(4, "TreeEnsembleRegressor", "target", extra)
    let x = Literal(.i64, [3, 1], [.integer(-1), .integer(0), .integer(7)])
    #expect(try few.results([x])[0].numbers == [0, 10, 20, 2, 11, 21, 5, 12, 23])
    let many = chains(40, "TreeEnsembleRegressor", "target", extra)
    #expect(try many.module().entry?.graph.nodes.count == few.module().entry?.graph.nodes.count)
  }

  @Test func classifiers() throws {
    let model = chains(
      4, "TreeEnsembleClassifier", "class", [("classlabels_int64s", .ints([7, 5, 3]))], outputs: ["label", "scores"])
    let x = Literal(.i64, [3, 1], [.integer(-1), .integer(0), .integer(7)])
    let results = try model.results([x])
    #expect(results[0].numbers == [7, 7, 7])
    #expect(results[1].numbers == [0, 0, 0, 2, 1, 1, 5, 2, 3])
    let strings = chains(4, "TreeEnsembleClassifier", "class", [("classlabels_strings", .strings(["a", "b", "c"]))])
    #expect(
      strings.refusal == "unsupported: ai.onnx.ml.TreeEnsembleClassifier (node 't'): labels that are strings")
  }

  /// One tree, and two classes of which the first has all votes.
  @Test func binaryClassifiers() throws {
    let model = chains(
      1, "TreeEnsembleClassifier", "class",
      [("classlabels_int64s", .ints([7, 5])), ("post_transform", .string("LOGISTIC"))],
      outputs: ["label", "scores"])
    let results = try model.results([Literal(.i64, [2, 1], [.integer(-1), .integer(3)])])
    #expect(results[0].numbers == [7, 5])
    let scores = results[1].numbers
    #expect(
      scores[0] == 0.5 && scores[1] == 0.5 && abs(scores[3] - 0.731_058_6) < 1e-6
        && abs(scores[2] + scores[3] - 1) < 1e-6)
  }

  // MARK: Features

  @Test func featuresAreExtracted() throws {
    let model = Model(
      inputs: [.init("x", .f32, ["n", 3]), .init("i", .i64, [2, 2])],
      nodes: [.init("ArrayFeatureExtractor", ["x", "i"], ["y"], domain: "ai.onnx.ml")], outputs: ["y"])
    let result = try model.results([
      .floats([1, 3], [4, 5, 6]), Literal(.i64, [2, 2], [2, 0, 0, 1].map { .integer($0) }),
    ])[0]
    #expect(result.dimensions == [1, 4] && result.numbers == [6, 4, 4, 5])
  }

  @Test func featuresAreCompared() throws {
    let floats = model("Binarizer", .init("x", .f32, [3]), [("threshold", .float(1.5))])
    #expect(try floats.results([.floats([3], [1.5, 2, .nan])])[0].numbers == [0, 1, 0])
    let integers = model("Binarizer", .init("x", .i64, [3]), [("threshold", .float(-1.5))])
    #expect(try integers.results([.integers([-2, -1, 0])])[0].numbers == [0, 1, 1])
    let all = model("Binarizer", .init("x", .i64, [2]), [("threshold", .float(-1e30))])
    #expect(try all.results([.integers([.min, 0])])[0].numbers == [1, 1])
  }
}
