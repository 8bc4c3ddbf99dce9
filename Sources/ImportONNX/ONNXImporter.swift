import GraphBuilding
public import IR

/// Reads ONNX models (https://onnx.ai/onnx/repo-docs/IR.html) into IR modules.
///
/// An input's `dim_param` becomes the symbol of that name; a dimension without a name gets a symbol of its own.
/// Integer tensors that say shapes (`Shape`, `Gather`, `Concat`, … on them) are computed while the model is read, over
/// symbols where need be, so that a `Reshape` to `[batch, seq, 12, 32]` has these extents in its type. Initializers are
/// constants, also those that are listed as graph inputs.
public struct ONNXImporter: Sendable {
  /// Values for symbols, by the name of their `dim_param`.
  public var symbols: [String: Int] = [:]
  /// Bounds of symbols without a value, by the name of their `dim_param`.
  public var symbolBounds: [String: SymbolBounds] = [:]
  /// Shapes of inputs for which the model does not say one.
  public var inputShapes: [String: [Int]] = [:]
  /// Values of inputs that the model asks for where the IR needs to know them, such as the shape of a `Reshape` that is
  /// a graph input. Inputs that no op asks about stay inputs.
  public var inputValues: [String: Literal] = [:]

  public init() {}

  /// The module of the ONNX file at `path`; its one function is `main`.
  public func module(atPath path: String) throws(ONNXError) -> Module {
    try module(of: try ModelFile(path: path))
  }

  /// The symbols of the graph's inputs in the file at `path`, also those that `symbols` gives a value.
  public func symbolNames(atPath path: String) throws(ONNXError) -> [String] {
    let graph = try ModelFile(path: path).model.graph
    let initializers = Set(graph.initializer.map(\.name))
    var names: [String] = []
    for input in graph.input where !initializers.contains(input.name) {
      for (index, dimension) in input.type.tensorType.shape.dim.enumerated() {
        guard let name = dimension.symbolName(index, of: input.name), !names.contains(name) else { continue }
        names.append(name)
      }
    }
    return names
  }

  /// The module of a serialized ModelProto without external data.
  public func module(from bytes: [UInt8]) throws(ONNXError) -> Module {
    try module(of: try ModelFile(bytes))
  }

  private func module(of file: ModelFile) throws(ONNXError) -> Module {
    let model = ModelContext(file: file, options: self)
    let bounds = Dictionary(
      uniqueKeysWithValues: symbolBounds.filter { symbols[$0.key] == nil }.map { (Symbol($0.key), $0.value) })
    return try module(model, SymbolFacts(bounds: bounds), again: Self.readingLimit)
  }

  /// How often a model is read anew, at most.
  private static let readingLimit = 8

  /// Where an op needs two extents to be equal, the model is read again for the symbols for which they are.
  private func module(_ model: ModelContext, _ facts: SymbolFacts, again: Int) throws(ONNXError) -> Module {
    var lowering = try Lowering(model, facts)
    let module: Module
    do throws(ONNXError) { module = try lowering.module() } catch {
      guard again > 0, error.kind == .unsupported, let facts = facts.next(after: lowering.construction) else {
        throw error
      }
      return try self.module(model, facts, again: again - 1)
    }
    for (symbol, range) in module.symbolBounds.sorted(by: { $0.key < $1.key }) {
      guard let upper = range.upper, range.lower > upper else { continue }
      throw .invalid("dimension '\(symbol)' would have to be at least \(range.lower) and at most \(upper)")
    }
    return module
  }
}
