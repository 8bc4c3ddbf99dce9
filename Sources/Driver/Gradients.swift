internal import IR
internal import Passes

extension Pipeline {
  /// The graph's function with the gradients that the options ask for, behind its results: of the first result, with respect
  /// to the inputs that they name.
  func differentiated(_ source: Source) throws(Failure) -> Source {
    if options.gradients.isEmpty { return source }
    let function = source.function
    let names = function.parameterNames
    var positions: [Int] = []
    for name in options.gradients {
      let place = name.hasPrefix("arg") ? Int(name.dropFirst(3)) : nil
      guard let position = names.firstIndex(of: name) ?? place.flatMap({ names.indices.contains($0) ? $0 : nil }) else {
        let list = names.map { "'\($0)'" }.joined(separator: ", ")
        throw .refused("there is no input '\(name)'; the model has \(list.isEmpty ? "none" : list)", place: source.path)
      }
      guard !positions.contains(position) else {
        throw .refused("--gradient names input '\(names[position])' twice", place: source.path)
      }
      positions.append(position)
    }
    guard let type = function.graph.resultTypes.first, type.isScalar, type.elementType.isFloat else {
      let found = function.graph.resultTypes.first.map { "'\(function.resultNames[0])' is \($0)" } ?? "there is none"
      throw .refused("--gradient needs a first result that is one float, but \(found)", place: source.path)
    }
    for position in positions {
      let (name, type) = (names[position], function.graph.parameterTypes[position])
      guard type.elementType.isFloat || type.elementType.isComplex else {
        throw .refused("input '\(name)' is \(type) and has no gradient", place: source.path)
      }
    }
    var new = source
    do throws(OpError) {
      // No result takes over the buffer of an input, as gradients read inputs late.
      new.function = Function(
        name: function.name, graph: try function.graph.gradient(withRespectTo: positions), isPublic: function.isPublic,
        parameterNames: names, resultNames: function.resultNames + positions.map { "grad_\(names[$0])" })
    } catch {
      throw Self.failure(error, source.path)
    }
    new.module.functions = [new.function]
    return new
  }
}
