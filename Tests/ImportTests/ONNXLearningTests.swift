import IR
import Testing

/// Classical models: words.
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
}
