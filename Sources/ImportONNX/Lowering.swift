import Foundation
import GraphBuilding
import IR

/// What a graph is read with: the file, the options, and the functions that the model defines itself.
struct ModelContext {
  let file: ModelFile
  let options: ONNXImporter
  let functions: [FunctionKey: Onnx_FunctionProto]

  struct FunctionKey: Hashable {
    let domain: String
    let name: String
    let overload: String
  }

  init(file: ModelFile, options: ONNXImporter) {
    self.file = file
    self.options = options
    var functions: [FunctionKey: Onnx_FunctionProto] = [:]
    for function in file.model.functions {
      let key = FunctionKey(
        domain: canonicalDomain(function.domain), name: function.name, overload: function.overload)
      functions[key] = function
    }
    self.functions = functions
  }
}

/// The state in which nodes become IR: the graphs under construction, and what every name stands for.
///
/// A lowering function takes the lowering, reads the current node's inputs and attributes from it, and returns the node's
/// outputs.
struct Lowering: GraphBuilder {
  let context: ModelContext
  /// The current node.
  var call: NodeCall
  var construction: Construction
  var scopes: [Scope]
  /// A line for each unsupported node so far.
  var unsupported: [String] = []
  /// What broke a rule, with its place.
  var failure: ONNXError?

  var location: Location { call.location }

  /// What names mean: in the main graph, in a subgraph (which also sees the outer names), in a function (which does not).
  struct Scope {
    var names: [String: Binding] = [:]
    /// The nodes that compute names of this scope.
    var nodes: [Onnx_NodeProto] = []
    var seesOuter: Bool
    var opsets: [String: Int]
    /// What the attributes of the enclosing function are; nil outside of functions.
    var arguments: [String: Onnx_AttributeProto]?
  }

  /// What a name stands for.
  enum Binding {
    case value(Value)
    /// An optional input of a function that its caller left out.
    case absent
    /// The output of a node that was reported as unsupported.
    case unsupported
  }

  init(_ context: ModelContext, _ facts: SymbolFacts) throws(ONNXError) {
    self.context = context
    self.call = NodeCall(Onnx_NodeProto())
    self.construction = Construction(facts)
    self.scopes = [Scope(seesOuter: false, opsets: try opsets(of: context.file.model.opsetImport))]
  }

  var scope: Scope {
    get { scopes[scopes.count - 1] }
    _modify { yield &scopes[scopes.count - 1] }
  }
}

extension Lowering {
  /// How far a lowering has come, to which it can go back.
  struct Mark {
    fileprivate let construction: Construction.Mark
    fileprivate let scopes: Int
    fileprivate let unsupported: Int
  }

  var mark: Mark { Mark(construction: construction.mark, scopes: scopes.count, unsupported: unsupported.count) }

  /// Leaves the regions and names, and forgets the reports, that came after `mark`.
  mutating func reset(to mark: Mark) {
    construction.reset(to: mark.construction)
    scopes.removeLast(scopes.count - mark.scopes)
    unsupported.removeLast(unsupported.count - mark.unsupported)
  }
}

/// The domain's name, with the standard's two names made one.
func canonicalDomain(_ domain: String) -> String { domain == "ai.onnx" ? "" : domain }

private func opsets(of imports: [Onnx_OperatorSetIdProto]) throws(ONNXError) -> [String: Int] {
  var versions: [String: Int] = [:]
  for entry in imports {
    guard (1...10_000).contains(entry.version) else {
      throw .invalid("opset version \(entry.version) of domain '\(entry.domain)' is not a version")
    }
    versions[canonicalDomain(entry.domain)] = Int(entry.version)
  }
  return versions
}
