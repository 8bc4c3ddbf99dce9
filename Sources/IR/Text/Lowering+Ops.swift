extension Lowering {
  /// Appends what an op means to the current graph and gives its results their names.
  mutating func lower(_ op: SyntaxOp) throws(SourceError) {
    guard Self.isKnown(op.name), !op.isOpaque else { return try poison(op) }
    var operands: [LoweredValue] = []
    for (use, type) in zip(op.operands, op.operandTypes) {
      let value = try value(use, in: op)
      try check(use, value, is: type)
      operands.append(value)
    }
    if operands.contains(where: \.isPoison) { return try poison(op) }
    switch op.name {
    case "stablehlo.tuple": return try define(op, [.tuple(operands)])
    case "stablehlo.create_token", "stablehlo.after_all": return try define(op, [.token])
    case "stablehlo.get_tuple_element":
      guard case .tuple(let elements)? = operands.first, case .integer(let index, _)? = op["index"],
        elements.indices.contains(Int(index))
      else { throw source.error("get_tuple_element needs a tuple that has this element", at: op.position) }
      return try define(op, [elements[Int(index)]])
    default: break
    }
    let lowered: [LoweredValue]
    do throws(Failure) {
      let values = try build(op, operands.flatMap(\.tensors))
      lowered = values.map { .tensor($0) }
    } catch {
      switch error {
      case .poisoned: return try poison(op)
      case .text(let error): throw error
      case .op(let error):
        guard error.kind == .unsupported else { throw source.error(error.message, at: op.position) }
        unsupported.append(source.unsupported(error.message, at: op.position))
        return try poison(op)
      }
    }
    try define(op, lowered)
  }

  /// An error of the text, or of an op that its caller places in the text.
  enum Failure: Error {
    case text(SourceError)
    case op(OpError)
    /// Something inside is unsupported, and reported already.
    case poisoned
  }

  private mutating func poison(_ op: SyntaxOp) throws(SourceError) {
    for result in op.results {
      try define(result.name, [.poison], at: result.position)
    }
  }

  private mutating func define(_ op: SyntaxOp, _ values: [LoweredValue]) throws(SourceError) {
    var rest = values[...]
    for result in op.results {
      guard rest.count >= result.count else {
        throw source.error("'\(op.name)' has \(values.count) results", at: result.position)
      }
      try define(result.name, Array(rest.prefix(result.count)), at: result.position)
      rest = rest.dropFirst(result.count)
    }
  }

  // MARK: - Building

  private mutating func build(_ op: SyntaxOp, _ operands: [ValueID]) throws(Failure) -> [ValueID] {
    let location = location(op.location, at: op.position)
    var operands = operands
    var regions: [Graph] = []
    let form = TextForm.all[op.name]
    let reported = unsupported.count
    do throws(SourceError) {
      if form?.captures == .operands {
        regions = try capturingRegions(of: op, &operands)
      } else {
        for region in op.regions { regions.append(try closedRegion(region, of: op)) }
      }
    } catch { throw .text(error) }
    let hasLostResults = !unsupported.isEmpty && regions.contains { $0.results.isEmpty }
    if hasLostResults || unsupported.count > reported { throw .poisoned }
    let current = scopes.count - 1
    var operandTypes = operands.map { scopes[current].graph.type(of: $0) }
    let declared: [TensorType]
    let extents: [[Extent]]?
    let attributes: [NamedAttribute]
    do throws(SourceError) {
      extents = try self.extents(op["tfc.extents"], at: op.position)
      declared = try declaredTypes(op, extents)
      attributes = try resolvedAttributes(op)
    } catch { throw .text(error) }
    func reader() -> OpReader {
      OpReader(
        name: op.name, attributes: attributes, operandTypes: operandTypes, resultTypes: declared,
        hasExtents: extents != nil, regions: regions)
    }
    do throws(OpError) {
      if let rewrite = Rewrite.all[op.name] {
        let values = try rewrite.build(&scopes[current].graph, reader(), operands, location)
        for (value, type) in zip(values, op.resultTypes) where !type.admits(scopes[current].graph.type(of: value)) {
          throw OpError("'\(op.name)' gives \(scopes[current].graph.type(of: value)), not \(type)")
        }
        return values
      }
      guard let form else { throw OpError.unsupported(op.name) }
      if op.name == "stablehlo.select" || op.name == "stablehlo.clamp" {
        try broadcastScalars(of: op.name, &operands, location)
        operandTypes = operands.map { scopes[current].graph.type(of: $0) }
      }
      let definition = try form.read(reader())
      let types = try resultTypes(definition, operandTypes, declared, op, hasExtents: extents != nil)
      let node = Node(op: definition, operands: operands, resultTypes: types, location: location)
      let value = scopes[current].graph.appendUnchecked(node)
      return scopes[current].graph.results(of: value)
    } catch { throw .op(error) }
  }

  /// The predicate of `select` and the limits of `clamp` may be scalars.
  private mutating func broadcastScalars(
    of name: String, _ operands: inout [ValueID], _ location: Location
  ) throws(OpError) {
    guard operands.count == 3 else { return }
    let current = scopes.count - 1
    let type = scopes[current].graph.type(of: operands[1])
    for position in name == "stablehlo.select" ? [0] : [0, 2] {
      operands[position] = try Rewrite.broadcastingScalar(
        operands[position], to: type, in: &scopes[current].graph, location)
    }
  }

  private mutating func declaredTypes(_ op: SyntaxOp, _ extents: [[Extent]]?) throws(SourceError) -> [TensorType] {
    let flat = op.resultTypes.flatMap(Self.flattened)
    if let extents, extents.count != flat.count {
      throw source.error("tfc.extents does not name the extents of \(flat.count) results", at: op.position)
    }
    var types: [TensorType] = []
    for (position, type) in flat.enumerated() where !type.isToken {
      types.append(try tensorType(type, extents: extents?[position], at: op.position))
    }
    return types
  }

  /// The attributes with aliases and resources replaced by what they stand for.
  private func resolvedAttributes(_ op: SyntaxOp) throws(SourceError) -> [NamedAttribute] {
    var attributes = op.attributes
    for (index, attribute) in attributes.enumerated() {
      switch attribute.value {
      case .alias(let name):
        if let value = definitions.attributes[name] { attributes[index].value = value }
      case .resource(let name, let type, let position):
        guard case .tensor(let dimensions, let element) = type, !dimensions.contains(nil) else {
          throw source.error("a resource has a tensor type of fixed extents", at: position)
        }
        let literal = try definitions.literal(
          ofResource: name, dimensions.compactMap { $0 }, element, in: source, at: position)
        attributes[index].value = .dense(literal)
      default: break
      }
    }
    return attributes
  }

  /// The types that follow from the op; the declared ones must agree with them.
  ///
  /// Where extents are symbolic, equal extents may have different symbols until shapes are resolved: then the declared
  /// types count.
  private func resultTypes(
    _ definition: Op, _ operandTypes: [TensorType], _ declared: [TensorType], _ op: SyntaxOp, hasExtents: Bool
  ) throws(OpError) -> [TensorType] {
    let isFixed = (operandTypes + declared).allSatisfy(\.hasFixedShape)
    let inferred: [TensorType]
    do {
      inferred = try definition.inferTypes(operandTypes)
    } catch {
      if isFixed || error.kind == .unsupported { throw error }
      return declared
    }
    guard inferred.count == declared.count else {
      throw OpError("'\(op.name)' has \(inferred.count) results, not \(declared.count)")
    }
    if hasExtents { return declared }
    var types: [TensorType] = []
    for (type, stated) in zip(inferred, declared) {
      guard type.elementType == stated.elementType, type.rank == stated.rank else {
        throw OpError("'\(op.name)' gives \(type), not \(stated)")
      }
      var dimensions: [Extent] = []
      for (extent, declaredExtent) in zip(type.dimensions, stated.dimensions) {
        guard declaredExtent.isFixed, extent.isFixed || extent == declaredExtent else {
          dimensions.append(declaredExtent.isFixed ? declaredExtent : extent)
          continue
        }
        guard extent == declaredExtent else { throw OpError("'\(op.name)' gives \(type), not \(stated)") }
        dimensions.append(extent)
      }
      types.append(TensorType(type.elementType, dimensions))
    }
    return types
  }
}
