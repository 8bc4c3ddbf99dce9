import IR

extension Pass {
  /// `%a = multiply %x, %y; %b = add %a, %z` becomes `%b = "tfc.fusion"(%x, %y, %z) ({ multiply, add })`.
  public static let fusion = Pass("fusion", "gathers nodes into kernels", scope: .controlFlow) {
    graph, context throws(OpError) in
    graph = try FusionPlan(separating: graph).applied(to: graph)
  }
}
