import IR
import RandomGraphs

/// Some random graphs, compiled as one function, so that they share the time of linking.
struct Batch {
  struct Part {
    var seed: UInt64
    var graph: Graph
    var arguments: [Literal]
    var expected: [Literal]
    var moved: [[Literal]]
    /// For each result, whether its bits are decided.
    var exactResults: [Bool]
    var symbol: (name: String, value: Int)?
  }

  var parts: [Part] = []

  init(seeds: Range<UInt64>) throws { for seed in seeds { parts.append(try Self.part(seed)) } }

  private init(_ part: Part) { parts = [part] }

  var single: [Batch] { parts.map { Batch($0) } }

  /// The same graph, with every value among its results.
  static func withAllValues(seed: UInt64) throws -> Batch { Batch(try part(seed, showsAll: true)) }

  private static func part(_ seed: UInt64, showsAll: Bool = false) throws -> Part {
    let name = "n\(seed)"
    let value = [3, 1, 17, 0, 5, 33][Int(seed / 8 % 6)]
    let isSymbolic = seed % 8 == 7
    var graph =
      isSymbolic
      ? try RandomGraph.makeSymbolic(seed: seed, symbol: name) : try RandomGraph.make(seed: seed, isWide: true)
    try graph.verify()
    if showsAll {
      let live = graph.liveValues
      graph.results = graph.values.filter { live[$0.index] && graph[$0].hasSingleResult && !graph[$0].op.isParameter }
    }
    let fixed = isSymbolic ? RandomGraph.fixing(name, to: value, in: graph) : graph
    let arguments = RandomGraph.arguments(for: fixed, seed: seed, isWide: true)
    let expected = try fixed.evaluate(arguments)
    let inexact = Rounding.inexactValues(of: fixed)
    var moved: [[Literal]] = []
    if fixed.results.contains(where: { inexact[$0.index] }) {
      for direction in [Rounding.Direction.up, .down, .random, .random] {
        moved.append(try Rounding.evaluate(fixed, arguments, direction, seed: seed + UInt64(moved.count) << 32))
      }
    }
    return Part(
      seed: seed, graph: graph, arguments: arguments, expected: expected, moved: moved,
      exactResults: fixed.results.map { !inexact[$0.index] }, symbol: isSymbolic ? (name, value) : nil)
  }

  /// All graphs side by side.
  private var function: Function {
    var whole = Graph()
    var results: [ValueID] = []
    for part in parts {
      var new: [ValueID] = []
      for node in part.graph.nodes {
        var copy = node
        copy.operands = node.operands.map { new[$0.index] }
        if case .parameter(var parameter) = node.op {
          parameter.index = whole.parameters.count
          copy.op = .parameter(parameter)
        }
        new.append(whole.appendUnchecked(copy))
      }
      results += part.graph.results.map { new[$0.index] }
    }
    whole.results = results
    return Function(name: "main", graph: whole)
  }

  /// Compiles, runs and compares; the sentences name the seeds.
  func check(_ backend: Backend, fuses: Bool, _ comparison: inout Comparison) throws -> [String] {
    let known = parts.compactMap(\.symbol).map { (Symbol($0.name), $0.value) }
    let outputs = try backend.results(
      function, fuses: fuses, parts.flatMap(\.arguments), symbols: Dictionary(known) { first, _ in first })
    var sentences: [String] = []
    var position = 0
    for part in parts {
      for (index, expected) in part.expected.enumerated() {
        let moved = part.moved.map { $0[index] }
        let sentence = comparison.add(
          outputs[position], expected: expected, moved: moved, isExact: part.exactResults[index])
        position += 1
        guard let sentence else { continue }
        if parts.count == 1 {
          let node = part.graph[part.graph.results[index]]
          let operands = node.operands.flatMap { part.graph[$0].resultTypes }
          sentences.append(
            "  first in \(node.op.mnemonic) \(operands) -> \(node.resultTypes[0]), operands "
              + node.operands.map { part.graph[$0].op.mnemonic }.joined(separator: ", "))
        }
        sentences.append("seed \(part.seed) \(fuses ? "fused" : "unfused"): result \(index): \(sentence)")
        break
      }
      position = parts.prefix { $0.seed <= part.seed }.reduce(0) { $0 + $1.expected.count }
    }
    return sentences
  }
}
