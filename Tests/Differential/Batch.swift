import IR
import ImportStableHLO
import Passes
import RandomGraphs

/// Some graphs, compiled as one function, so that they share the time of linking.
struct Batch {
  struct Part {
    /// "seed 7", or the graph's file.
    var name: String
    var graph: Graph
    var arguments: [Literal]
    var expected: [Literal]
    var moved: [[Literal]]
    /// For each result, whether its bits are decided.
    var exactResults: [Bool]
    var symbols: [(name: Symbol, value: Int)]
  }

  /// What the extents of a file's graph are that are not fixed: no tile divides it.
  private static let extentOfFiles = 37

  var parts: [Part] = []

  init(seeds: Range<UInt64>, hasF64: Bool) throws {
    for seed in seeds { parts.append(try Self.part(seed, hasF64: hasF64)) }
  }

  private init(_ part: Part) { parts = [part] }

  var single: [Batch] { parts.map { Batch($0) } }

  /// The same graph, with every value among its results.
  static func withAllValues(seed: UInt64, hasF64: Bool) throws -> Batch {
    Batch(try part(seed, showsAll: true, hasF64: hasF64))
  }

  /// The function `main` of a StableHLO file.
  init(path: String) throws {
    let module = try StableHLOImporter().module(atPath: path).resolved(function: nil)
    guard let graph = module.functions.first?.graph else { throw LoadError(description: "the file has no function") }
    var symbols: Set<Symbol> = []
    _ = graph.mappingExtents { extent in
      _ = extent.evaluated { atom in
        if case .symbol(let symbol) = atom { symbols.insert(symbol) }
        return 1
      }
      return extent
    }
    let known = symbols.map { ($0, Self.extentOfFiles) }
    let fixed = known.reduce(graph) { RandomGraph.fixing($1.0.name, to: $1.1, in: $0) }
    let arguments = RandomGraph.plainArguments(for: fixed, seed: 1)
    parts = [try Self.part(name: path, graph, fixed, arguments, symbols: known, seed: 1)]
  }

  private static func part(_ seed: UInt64, showsAll: Bool = false, hasF64: Bool) throws -> Part {
    let name = "n\(seed)"
    let value = [3, 1, 17, 0, 5, 33][Int(seed / 8 % 6)]
    let isSymbolic = seed % 8 == 7
    var graph =
      isSymbolic
      ? try RandomGraph.makeSymbolic(seed: seed, symbol: name, hasF64: hasF64)
      : try RandomGraph.make(seed: seed, isWide: true, hasF64: hasF64)
    try graph.verify()
    if showsAll {
      let live = graph.liveValues
      graph.results = graph.values.filter { live[$0.index] && graph[$0].hasSingleResult && !graph[$0].op.isParameter }
    }
    let fixed = isSymbolic ? RandomGraph.fixing(name, to: value, in: graph) : graph
    let arguments = RandomGraph.arguments(for: fixed, seed: seed, isWide: true)
    return try part(
      name: "seed \(seed)", graph, fixed, arguments, symbols: isSymbolic ? [(Symbol(name), value)] : [], seed: seed)
  }

  /// `fixed` is the graph with the symbols' values.
  private static func part(
    name: String, _ graph: Graph, _ fixed: Graph, _ arguments: [Literal], symbols: [(Symbol, Int)], seed: UInt64
  ) throws -> Part {
    let expected = try fixed.evaluate(arguments)
    let inexact = Rounding.inexactValues(of: fixed)
    var moved: [[Literal]] = []
    if fixed.results.contains(where: { inexact[$0.index] }) {
      for direction in [Rounding.Direction.up, .down, .random, .random] {
        moved.append(try Rounding.evaluate(fixed, arguments, direction, seed: seed + UInt64(moved.count) << 32))
      }
    }
    return Part(
      name: name, graph: graph, arguments: arguments, expected: expected, moved: moved,
      exactResults: fixed.results.map { !inexact[$0.index] }, symbols: symbols)
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

  /// Compiles, runs and compares; the sentences name the graphs.
  func check(_ backend: Backend, fuses: Bool, _ comparison: inout Comparison) throws -> [String] {
    let known = parts.flatMap(\.symbols).map { ($0.name, $0.value) }
    let outputs = try backend.results(
      function, fuses: fuses, parts.flatMap(\.arguments), symbols: Dictionary(known) { first, _ in first })
    var sentences: [String] = []
    var next = 0
    for part in parts {
      let first = next
      next += part.expected.count
      for (index, expected) in part.expected.enumerated() {
        let moved = part.moved.map { $0[index] }
        let sentence = comparison.add(
          outputs[first + index], expected: expected, moved: moved, isExact: part.exactResults[index])
        guard let sentence else { continue }
        if parts.count == 1 {
          let node = part.graph[part.graph.results[index]]
          let operands = node.operands.flatMap { part.graph[$0].resultTypes }
          sentences.append(
            "  first in \(node.op.mnemonic) \(operands) -> \(node.resultTypes[0]), operands "
              + node.operands.map { part.graph[$0].op.mnemonic }.joined(separator: ", "))
        }
        sentences.append("\(part.name) \(fuses ? "fused" : "unfused"): result \(index): \(sentence)")
        break
      }
    }
    return sentences
  }
}
