/// What operations of VHLO are in StableHLO (StableHLO, "VHLO").
///
/// A version of an operation is never changed. Newer ones have more attributes, whose defaults are what the older ones
/// mean, and attributes are never left out; so the versions of an operation are read in the same way.
enum VersionedOperation {
  /// The operation with the name and the attributes that it has in text.
  static func stableHLO(_ op: SyntaxOp, _ source: SourceFile) throws(SourceError) -> SyntaxOp {
    guard op.name.hasPrefix("vhlo.") else { return op }
    var result = op
    let name = unversioned(op.name.dropFirst("vhlo.".count))
    switch name {
    case "func":
      result.name = "func.func"
      if case .string("")? = op["sym_visibility"] { result["sym_visibility"] = nil }
      result.regions = op.regions.map(returningFromFunction)
    case "call": result.name = "func.call"
    default: result.name = "stablehlo.\(name)"
    }
    switch name {
    case "convolution", "dynamic_conv": try joinConvolution(&result, source)
    case "dot_general":
      try join(
        &result, as: "dot_dimension_numbers", kind: "stablehlo.dot",
        [
          "lhs_batching_dimensions", "rhs_batching_dimensions", "lhs_contracting_dimensions",
          "rhs_contracting_dimensions",
        ], source)
    case "gather", "dynamic_gather":
      try join(
        &result, as: "dimension_numbers", kind: "stablehlo.gather",
        [
          "offset_dims", "collapsed_slice_dims", "operand_batching_dims", "start_indices_batching_dims",
          "start_index_map", "index_vector_dim",
        ], source)
    case "scatter":
      try join(
        &result, as: "scatter_dimension_numbers", kind: "stablehlo.scatter",
        [
          "update_window_dims", "inserted_window_dims", "input_batching_dims", "scatter_indices_batching_dims",
          "scatter_dims_to_operand_dims", "index_vector_dim",
        ], source)
    case "compare": if case .enumeration(_, "NOTYPE")? = op["compare_type"] { result["compare_type"] = nil }
    case "custom_call": removeDefaults(&result)
    default: break
    }
    return result
  }

  /// `add` for `add_v1`.
  private static func unversioned(_ name: Substring) -> String {
    guard let mark = name.lastIndex(of: "_"), name[mark...].dropFirst().first == "v",
      name[mark...].dropFirst(2).allSatisfy(\.isNumber)
    else { return String(name) }
    return String(name[..<mark])
  }

  /// The body of a function: VHLO has one operation that returns.
  private static func returningFromFunction(_ region: SyntaxRegion) -> SyntaxRegion {
    var region = region
    for block in region.blocks.indices {
      for op in region.blocks[block].ops.indices where region.blocks[block].ops[op].name == "stablehlo.return" {
        region.blocks[block].ops[op].name = "func.return"
      }
    }
    return region
  }

  /// Puts lists of integers, where an op has them, into one attribute.
  private static func join(
    _ op: inout SyntaxOp, as name: String, kind: String, _ fields: [String], _ source: SourceFile
  ) throws(SourceError) {
    var body = DialectBody(lists: [:])
    for field in fields {
      switch op[field] {
      case nil: continue
      case .integer(let value, _)?: body.append(field, Int(value))
      case let list?:
        guard let integers = list.integerList else {
          throw source.error("the attribute '\(field)' of '\(op.name)' is not a list of integers", at: op.position)
        }
        if !integers.isEmpty { body.append(field, integers) }
      }
      op[field] = nil
    }
    op[name] = .dialect(kind, body: body.text)
  }

  private static func joinConvolution(_ op: inout SyntaxOp, _ source: SourceFile) throws(SourceError) {
    let fields = [
      "input_batch_dimension", "input_feature_dimension", "input_spatial_dimensions", "kernel_input_feature_dimension",
      "kernel_output_feature_dimension", "kernel_spatial_dimensions", "output_batch_dimension",
      "output_feature_dimension", "output_spatial_dimensions",
    ]
    try join(&op, as: "dimension_numbers", kind: "stablehlo.conv", fields, source)
    guard case .dialect(let kind, let body)? = op["dimension_numbers"] else { return }
    op["dimension_numbers"] = .dialect(kind, body: "raw \(body)")
  }

  /// Attributes of calls that text does not mention.
  private static func removeDefaults(_ op: inout SyntaxOp) {
    op.attributes.removeAll { attribute in
      switch (attribute.name, attribute.value) {
      case ("has_side_effect", .boolean(false)), ("backend_config", .string("")), ("api_version", .integer(1, _)): true
      case ("called_computations", .array(let list)), ("output_operand_aliases", .array(let list)),
        ("operand_layouts", .array(let list)), ("result_layouts", .array(let list)),
        ("result_tilings", .array(let list)):
        list.isEmpty
      case ("backend_config", .dictionary(let entries)): entries.isEmpty
      default: false
      }
    }
  }
}
