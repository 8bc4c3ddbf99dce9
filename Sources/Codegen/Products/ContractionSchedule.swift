import IR

extension Schedule {
  /// A matrix product in register tiles: the right operand packed into panels, at compile time where it is constant, or read in
  /// place where there are too few rows to pay for packing; what follows the product done on registers.
  public static let contraction = Schedule("contraction") { request in
    guard request.anchor == .contraction, let product = MatrixProduct(request) else { return nil }
    return product.scheduled()
  }
}

extension Graph {
  /// Appends data movement whose operands fit by construction.
  mutating func moving(_ operand: ValueID?, _ op: Op, _ more: ValueID...) -> ValueID {
    do {
      return try append(op, (operand.map { [$0] } ?? []) + more)
    } catch {
      preconditionFailure("packing moves data within its bounds: \(error)")
    }
  }
}

extension Schedule {
  /// The kernel that computes the only result of `graph`, whose operands are the request's, into `destination`.
  static func packing(
    _ graph: Graph, _ request: SchedulingRequest, into destination: ScheduledFusion.Argument, suffix: String = "pack"
  ) -> [ScheduledFusion.Launch] {
    var pack = request
    pack.body = graph
    pack.anchor = .loop
    pack.name = "\(request.name)_\(suffix)"
    let tiles = request.target.workGroups == nil ? Schedule.transpose.kernels(pack) : nil
    let scheduled = tiles ?? Schedule.loop.kernels(pack)
    return (scheduled?.steps ?? []).compactMap { step in
      guard case .launch(let launch) = step else { return nil }
      return ScheduledFusion.Launch(
        launch.kernel, launch.arguments.map { $0 == .result(0) ? destination : $0 })
    }
  }
}
