/// A named graph, with what its signature says beside types.
public struct Function: Hashable, Sendable {
  public var name: String
  public var isPublic: Bool
  public var graph: Graph
  /// A name for each parameter; `arg0`, `arg1`, … where the file gives none.
  public var parameterNames: [String]
  /// A name for each result; `out0`, `out1`, … where the file gives none.
  public var resultNames: [String]
  /// For each result, the parameter whose buffer it takes over, if any (`tf.aliasing_output`, `jax.buffer_donor`).
  public var aliases: [Int?]

  public init(
    name: String, graph: Graph, isPublic: Bool = true, parameterNames: [String]? = nil, resultNames: [String]? = nil,
    aliases: [Int?]? = nil
  ) {
    self.name = name
    self.isPublic = isPublic
    self.graph = graph
    self.parameterNames = parameterNames ?? graph.parameters.indices.map { "arg\($0)" }
    self.resultNames = resultNames ?? graph.results.indices.map { "out\($0)" }
    self.aliases = aliases ?? graph.results.map { _ in nil }
  }
}

/// What a symbol's value may be; both ends belong to the range.
public struct SymbolBounds: Hashable, Sendable {
  public var lower: Int
  public var upper: Int?

  public init(lower: Int = 0, upper: Int? = nil) {
    self.lower = lower
    self.upper = upper
  }
}

extension SymbolBounds: CustomStringConvertible {
  public var description: String { "\(lower)..\(upper.map { "\($0)" } ?? "")" }
}

/// Everything one file holds: functions that may call each other.
public struct Module: Hashable, Sendable {
  public var name: String
  public var functions: [Function]
  public var symbolBounds: [Symbol: SymbolBounds] = [:]

  public init(name: String = "main", functions: [Function] = []) {
    self.name = name
    self.functions = functions
  }

  public func function(named name: String) -> Function? { functions.first { $0.name == name } }

  /// The function that is compiled when none is named: `main`, else the first public one.
  public var entry: Function? { function(named: "main") ?? functions.first(where: \.isPublic) }
}
