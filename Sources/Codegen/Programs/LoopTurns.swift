import IR

/// How many rounds of a loop are written one after the other, so that few of the values that a round hands to the next
/// are copied.
///
/// A value that is computed from more than the element it takes the place of cannot be written there: a single round
/// leaves it elsewhere and copies it at its end. Of two rounds the first may leave it elsewhere, and the second writes it
/// where the loop's state is; values that change places, as in `u, w = f(u, w), u`, come back to theirs after as many
/// rounds as the cycle has. (The kernels of equal rounds are compiled once.)
struct LoopTurns {
  /// More rounds than this are not written out.
  private static let mostTurns = 4
  /// Less than these bytes in a round are sooner copied than thought about.
  private static let fewBytes = 4096
  /// So much of what a round reads and writes may be copied.
  private static let smallShare = 16
  /// The most nodes of all rounds together.
  private static let mostNodes = 512

  /// So many rounds of the loop's body.
  let rounds: Graph
  let count: Int

  /// Nil where a single round does as well.
  init?(_ loop: While) {
    let copied = loop.body.copied
    guard Self.isWorthwhile(loop.body, copied: copied) else { return nil }
    let (single, nodeCount) = (loop.body.byteCount(ofResults: copied), loop.body.nestedNodeCount)
    var best: (rounds: Graph, count: Int, bytes: Int)?
    for count in 2...Self.mostTurns where count * nodeCount <= Self.mostNodes {
      let rounds = loop.body.repeated(count)
      let bytes = rounds.byteCount(ofResults: rounds.copied) / count
      if bytes < (best?.bytes ?? single - single / 4) { best = (rounds, count, bytes) }
      if bytes == 0 { break }
    }
    guard let best else { return nil }
    (rounds, count) = (best.rounds, best.count)
  }

  /// Whether it pays to write a loop's body twice so that some of its results need not be copied.
  static func isWorthwhile(_ body: Graph, copied: [Int]) -> Bool {
    let bytes = body.byteCount(ofResults: copied)
    return bytes >= fewBytes && bytes * smallShare >= body.traffic && 2 * body.nestedNodeCount <= mostNodes
  }
}

extension Graph {
  /// The results of a loop's body that are not written in the place of the values before.
  fileprivate var copied: [Int] {
    let overwritten = OverwrittenParameters(self)
    return results.indices.filter { position in
      origin(of: results[position]).value != parameters[position] && !overwritten.isWritten(position, over: position)
    }
  }

  /// Those of them that the body computes: others change places.
  var writtenElsewhere: [Int] { copied.filter { !self[origin(of: results[$0]).value].op.isParameter } }

  fileprivate func byteCount(ofResults positions: [Int]) -> Int {
    positions.reduce(0) { $0 + type(of: results[$1]).countedBytes }
  }

  /// What the nodes read and write, in bytes, and of products what takes as long.
  fileprivate var traffic: Int {
    let live = liveValues
    var bytes = 0
    for (position, node) in nodes.enumerated() where live[position] && !node.op.isParameter {
      for region in node.op.definition.regions {
        if case .fusion = node.op { bytes += region.productTraffic } else { bytes += region.traffic }
      }
      for type in node.resultTypes + node.operands.flatMap({ self[$0].resultTypes }) { bytes += type.countedBytes }
    }
    return bytes
  }

  /// The multiplications of products, 16 for a byte.
  private var productTraffic: Int {
    var count = 0.0
    for node in nodes {
      switch node.op {
      case .dotGeneral, .convolution:
        let sides = node.resultTypes + node.operands.map { type(of: $0) }
        count += sides.reduce(1.0) { $0 * Double($1.countedBytes / $1.elementType.byteCount) }.squareRoot()
      default: break
      }
    }
    return Int(min(count / 16, 1e15))
  }

  fileprivate var nestedNodeCount: Int {
    nodes.reduce(0) { $0 + 1 + $1.op.definition.regions.reduce(0) { $0 + $1.nestedNodeCount } }
  }

  /// The body of a loop so many times: the results of one time are the first arguments of the next.
  fileprivate func repeated(_ count: Int) -> Graph {
    var rounds = Graph()
    var arguments = parameters.map { parameter in
      rounds.appendUnchecked(self[parameter])
    }
    for _ in 0..<count {
      var values: [ValueID] = []
      for node in nodes {
        if case .parameter(let parameter) = node.op {
          values.append(arguments[parameter.index])
          continue
        }
        var node = node
        node.operands = node.operands.map { values[$0.index] }
        values.append(rounds.appendUnchecked(node))
      }
      for (position, result) in results.enumerated() { arguments[position] = values[result.index] }
    }
    rounds.results = Array(arguments[..<results.count])
    return rounds
  }
}

extension TensorType {
  /// The bytes, where extents are open those of a large tensor.
  fileprivate var countedBytes: Int { min(byteCount.fixed ?? 1 << 20, 1 << 40) }
}
