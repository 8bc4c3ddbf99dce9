package import IR

/// Graphs under construction, and what is known of the values in them.
package struct Construction: Sendable {
  /// A graph under construction: the main graph or an op's region.
  package struct Level: Sendable {
    let identity: Int
    package var graph = Graph()
    /// Values of outer levels, in the order of the parameters that stand for them.
    package internal(set) var captures: [Value] = []
  }

  /// What is known about a value; at least one field is set.
  struct Entry: Sendable {
    /// Where the value is in each graph that has it, by the identity of the graph's level.
    var nodes: [Int: ValueID] = [:]
    var literal: Literal?
    /// The elements in row-major order, as expressions over symbols.
    var content: [Extent]?
    /// The value in this run, for graph inputs whose value was given.
    var assumed: Literal?
    /// The tensors of a sequence, which is no tensor itself.
    var list: [Value]?
  }

  /// How far the construction has come, to which it can go back.
  package struct Mark: Sendable {
    fileprivate let levels: Int
    fileprivate let narrowerBounds: [Symbol: SymbolBounds]?
    fileprivate let equalityCount: Int
    fileprivate let dataSymbolCount: Int
  }

  package var levels = [Level(identity: 0)]
  package var arithmetic: ExtentArithmetic
  /// Bounds of symbols under which extents are equal that an op needs to be, where today's do not say so.
  package internal(set) var narrowerBounds: [Symbol: SymbolBounds]?
  /// Extents that ops need to be equal, and that bounds do not make so.
  package internal(set) var equalities: [(Extent, Extent)] = []
  /// What the model is read with.
  package let facts: SymbolFacts
  var assumedParameters: [ValueID: Literal] = [:]
  var entries: [Entry] = []
  var levelCount = 0
  private var nodeCount = 0
  private var dataSymbolCount = 0
  private static let nodeLimit = 1 << 18

  package init(_ facts: SymbolFacts) {
    self.facts = facts
    arithmetic = ExtentArithmetic(bounds: facts.bounds)
  }

  /// Counts a node of the model. Functions that call others twice, and these others, would be written out without end.
  package mutating func countNode() throws(OpError) {
    nodeCount += 1
    guard nodeCount <= Self.nodeLimit else {
      throw OpError("the model has more than \(Self.nodeLimit) nodes, its functions written out")
    }
  }

  /// A symbol for an extent that data decides. Each reading of a model gives it the same name.
  mutating func newDataSymbol(_ stem: String) -> Symbol {
    dataSymbolCount += 1
    return Symbol("\(stem).\(dataSymbolCount)")
  }

  package var mark: Mark {
    Mark(
      levels: levels.count, narrowerBounds: narrowerBounds, equalityCount: equalities.count,
      dataSymbolCount: dataSymbolCount)
  }

  /// Leaves the regions that came after `mark`.
  package mutating func reset(to mark: Mark) {
    levels.removeLast(levels.count - mark.levels)
    narrowerBounds = mark.narrowerBounds
    dataSymbolCount = mark.dataSymbolCount
    equalities.removeLast(equalities.count - mark.equalityCount)
  }
}
