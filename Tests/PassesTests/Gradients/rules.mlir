// Each function has a gradient that differences confirm, for arguments between 0.2 and 0.9, and a gradient of that.

func.func public @negate(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = stablehlo.negate %x : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @exponential(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = stablehlo.exponential %x : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @exponential_minus_one(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = stablehlo.exponential_minus_one %x : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @sine(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = stablehlo.sine %x : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @cosine(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = stablehlo.cosine %x : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @tan(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = stablehlo.tan %x : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @tanh(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = stablehlo.tanh %x : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @logistic(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = stablehlo.logistic %x : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @cbrt(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = stablehlo.cbrt %x : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @log(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = stablehlo.log %x : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @log_plus_one(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = stablehlo.log_plus_one %x : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @sqrt(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = stablehlo.sqrt %x : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @rsqrt(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = stablehlo.rsqrt %x : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @abs(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %h = stablehlo.constant dense<0.5> : tensor<3x4xf64>
  %s = stablehlo.subtract %x, %h : tensor<3x4xf64>
  %r = stablehlo.abs %s : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @floor(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %f = stablehlo.floor %x : tensor<3x4xf64>
  %r = stablehlo.multiply %f, %y : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @asinh(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = chlo.asinh %x : tensor<3x4xf64> -> tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @atan(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = chlo.atan %x : tensor<3x4xf64> -> tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @sinh(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = chlo.sinh %x : tensor<3x4xf64> -> tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @cosh(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = chlo.cosh %x : tensor<3x4xf64> -> tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @erf(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = chlo.erf %x : tensor<3x4xf64> -> tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @erfc(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = chlo.erfc %x : tensor<3x4xf64> -> tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @lgamma(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = chlo.lgamma %x : tensor<3x4xf64> -> tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @digamma(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = chlo.digamma %x : tensor<3x4xf64> -> tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @asin(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = chlo.asin %x : tensor<3x4xf64> -> tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @acos(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = chlo.acos %x : tensor<3x4xf64> -> tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @atanh(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = chlo.atanh %x : tensor<3x4xf64> -> tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @erf_inv(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = chlo.erf_inv %x : tensor<3x4xf64> -> tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @acosh(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %o = stablehlo.constant dense<1.5> : tensor<3x4xf64>
  %s = stablehlo.add %x, %o : tensor<3x4xf64>
  %r = chlo.acosh %s : tensor<3x4xf64> -> tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @digamma_of_negative(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %o = stablehlo.constant dense<2.1> : tensor<3x4xf64>
  %s = stablehlo.subtract %x, %o : tensor<3x4xf64>
  %r = chlo.digamma %s : tensor<3x4xf64> -> tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @add(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = stablehlo.add %x, %y : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @subtract(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = stablehlo.subtract %x, %y : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @multiply(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = stablehlo.multiply %x, %y : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @divide(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = stablehlo.divide %x, %y : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @maximum(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = stablehlo.maximum %x, %y : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @minimum(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = stablehlo.minimum %x, %y : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @power(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = stablehlo.power %x, %y : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @atan2(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = stablehlo.atan2 %x, %y : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @remainder(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %r = stablehlo.remainder %x, %y : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @select(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %p = stablehlo.compare LT, %x, %y : (tensor<3x4xf64>, tensor<3x4xf64>) -> tensor<3x4xi1>
  %a = stablehlo.sine %x : tensor<3x4xf64>
  %r = stablehlo.select %p, %a, %y : tensor<3x4xi1>, tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @clamp(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %n = stablehlo.constant dense<0.4> : tensor<3x4xf64>
  %r = stablehlo.clamp %n, %x, %y : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @convert(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %f = stablehlo.convert %x : (tensor<3x4xf64>) -> tensor<3x4xi32>
  %i = stablehlo.convert %f : (tensor<3x4xi32>) -> tensor<3x4xf64>
  %c = stablehlo.add %i, %y : tensor<3x4xf64>
  %r = stablehlo.multiply %c, %x : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @complex(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %c = stablehlo.complex %x, %y : tensor<3x4xcomplex<f64>>
  %e = stablehlo.exponential %c : tensor<3x4xcomplex<f64>>
  %m = stablehlo.multiply %e, %c : tensor<3x4xcomplex<f64>>
  %a = stablehlo.abs %m : (tensor<3x4xcomplex<f64>>) -> tensor<3x4xf64>
  %i = stablehlo.imag %m : (tensor<3x4xcomplex<f64>>) -> tensor<3x4xf64>
  %r = stablehlo.add %a, %i : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @transpose(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<4x3xf64> {
  %t = stablehlo.transpose %x, dims = [1, 0] : (tensor<3x4xf64>) -> tensor<4x3xf64>
  %r = stablehlo.multiply %t, %t : tensor<4x3xf64>
  return %r : tensor<4x3xf64>
}

func.func public @reshape(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<2x6xf64> {
  %t = stablehlo.reshape %x : (tensor<3x4xf64>) -> tensor<2x6xf64>
  %r = stablehlo.multiply %t, %t : tensor<2x6xf64>
  return %r : tensor<2x6xf64>
}

func.func public @broadcast(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<5x3x4xf64> {
  %t = stablehlo.broadcast_in_dim %x, dims = [1, 2] : (tensor<3x4xf64>) -> tensor<5x3x4xf64>
  %r = stablehlo.multiply %t, %t : tensor<5x3x4xf64>
  return %r : tensor<5x3x4xf64>
}

func.func public @broadcast_of_one(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x5x4xf64> {
  %s = stablehlo.slice %x [0:3, 1:2] : (tensor<3x4xf64>) -> tensor<3x1xf64>
  %t = stablehlo.broadcast_in_dim %s, dims = [0, 2] : (tensor<3x1xf64>) -> tensor<3x5x4xf64>
  %r = stablehlo.multiply %t, %t : tensor<3x5x4xf64>
  return %r : tensor<3x5x4xf64>
}

func.func public @slice(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<2x3xf64> {
  %t = stablehlo.slice %x [0:3:2, 1:4] : (tensor<3x4xf64>) -> tensor<2x3xf64>
  %r = stablehlo.multiply %t, %t : tensor<2x3xf64>
  return %r : tensor<2x3xf64>
}

func.func public @empty_slice(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<0x3xf64> {
  %t = stablehlo.slice %x [1:1:2, 1:4] : (tensor<3x4xf64>) -> tensor<0x3xf64>
  %r = stablehlo.multiply %t, %t : tensor<0x3xf64>
  return %r : tensor<0x3xf64>
}

func.func public @pad(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<5x5xf64> {
  %v = stablehlo.slice %y [0:1, 0:1] : (tensor<3x4xf64>) -> tensor<1x1xf64>
  %s = stablehlo.reshape %v : (tensor<1x1xf64>) -> tensor<f64>
  %t = stablehlo.pad %x, %s, low = [1, -1], high = [-1, 2], interior = [1, 0] : (tensor<3x4xf64>, tensor<f64>) -> tensor<5x5xf64>
  %r = stablehlo.multiply %t, %t : tensor<5x5xf64>
  return %r : tensor<5x5xf64>
}

func.func public @reverse(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %t = stablehlo.reverse %x, dims = [1] : tensor<3x4xf64>
  %r = stablehlo.multiply %t, %y : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @concatenate(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<9x4xf64> {
  %t = stablehlo.concatenate %x, %y, %x, dim = 0 : (tensor<3x4xf64>, tensor<3x4xf64>, tensor<3x4xf64>) -> tensor<9x4xf64>
  %r = stablehlo.multiply %t, %t : tensor<9x4xf64>
  return %r : tensor<9x4xf64>
}

func.func public @dynamic_slice(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<2x3xf64> {
  %i = stablehlo.constant dense<2> : tensor<i32>
  %t = stablehlo.dynamic_slice %x, %i, %i, sizes = [2, 3] : (tensor<3x4xf64>, tensor<i32>, tensor<i32>) -> tensor<2x3xf64>
  %r = stablehlo.multiply %t, %t : tensor<2x3xf64>
  return %r : tensor<2x3xf64>
}

func.func public @dynamic_update_slice(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %i = stablehlo.constant dense<1> : tensor<i32>
  %u = stablehlo.slice %y [0:2, 0:2] : (tensor<3x4xf64>) -> tensor<2x2xf64>
  %t = stablehlo.dynamic_update_slice %x, %u, %i, %i : (tensor<3x4xf64>, tensor<2x2xf64>, tensor<i32>, tensor<i32>) -> tensor<3x4xf64>
  %r = stablehlo.multiply %t, %t : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @gather(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<4x4xf64> {
  %i = stablehlo.constant dense<[[1], [7], [-2], [1]]> : tensor<4x1xi32>
  %t = "stablehlo.gather"(%x, %i) {dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, slice_sizes = array<i64: 1, 4>} : (tensor<3x4xf64>, tensor<4x1xi32>) -> tensor<4x4xf64>
  %r = stablehlo.multiply %t, %t : tensor<4x4xf64>
  return %r : tensor<4x4xf64>
}

func.func public @gather_with_batches(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x2xf64> {
  %i = stablehlo.constant dense<[[1, 3], [0, 0], [2, 5]]> : tensor<3x2xi32>
  %t = "stablehlo.gather"(%x, %i) {dimension_numbers = #stablehlo.gather<collapsed_slice_dims = [1], operand_batching_dims = [0], start_indices_batching_dims = [0], start_index_map = [1], index_vector_dim = 2>, slice_sizes = array<i64: 1, 1>} : (tensor<3x4xf64>, tensor<3x2xi32>) -> tensor<3x2xf64>
  %r = stablehlo.multiply %t, %t : tensor<3x2xf64>
  return %r : tensor<3x2xf64>
}

func.func public @scatter_of_sums(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<4x3xf64> {
  %i = stablehlo.constant dense<[[1], [5], [0], [1]]> : tensor<4x1xi32>
  %u = stablehlo.transpose %y, dims = [1, 0] : (tensor<3x4xf64>) -> tensor<4x3xf64>
  %w = stablehlo.reshape %x : (tensor<3x4xf64>) -> tensor<4x3xf64>
  %t = "stablehlo.scatter"(%w, %i, %u) ({
  ^bb0(%a: tensor<f64>, %b: tensor<f64>):
    %s = stablehlo.add %a, %b : tensor<f64>
    stablehlo.return %s : tensor<f64>
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1], inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>, unique_indices = false} : (tensor<4x3xf64>, tensor<4x1xi32>, tensor<4x3xf64>) -> tensor<4x3xf64>
  %r = stablehlo.multiply %t, %t : tensor<4x3xf64>
  return %r : tensor<4x3xf64>
}

func.func public @scatter_of_the_last(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<4x3xf64> {
  %i = stablehlo.constant dense<[[1], [5], [0], [1]]> : tensor<4x1xi32>
  %u = stablehlo.transpose %y, dims = [1, 0] : (tensor<3x4xf64>) -> tensor<4x3xf64>
  %w = stablehlo.reshape %x : (tensor<3x4xf64>) -> tensor<4x3xf64>
  %t = "stablehlo.scatter"(%w, %i, %u) ({
  ^bb0(%a: tensor<f64>, %b: tensor<f64>):
    stablehlo.return %b : tensor<f64>
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1], inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>, unique_indices = false} : (tensor<4x3xf64>, tensor<4x1xi32>, tensor<4x3xf64>) -> tensor<4x3xf64>
  %r = stablehlo.multiply %t, %t : tensor<4x3xf64>
  return %r : tensor<4x3xf64>
}

func.func public @scatter_of_the_largest(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<4x3xf64> {
  %i = stablehlo.constant dense<[[1], [5], [0], [1]]> : tensor<4x1xi32>
  %u = stablehlo.transpose %y, dims = [1, 0] : (tensor<3x4xf64>) -> tensor<4x3xf64>
  %w = stablehlo.reshape %x : (tensor<3x4xf64>) -> tensor<4x3xf64>
  %t = "stablehlo.scatter"(%w, %i, %u) ({
  ^bb0(%a: tensor<f64>, %b: tensor<f64>):
    %s = stablehlo.maximum %a, %b : tensor<f64>
    stablehlo.return %s : tensor<f64>
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1], inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>, unique_indices = false} : (tensor<4x3xf64>, tensor<4x1xi32>, tensor<4x3xf64>) -> tensor<4x3xf64>
  %r = stablehlo.multiply %t, %t : tensor<4x3xf64>
  return %r : tensor<4x3xf64>
}

func.func public @scatter_of_products(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<4x3xf64> {
  %i = stablehlo.constant dense<[[1], [5], [0], [2]]> : tensor<4x1xi32>
  %u = stablehlo.transpose %y, dims = [1, 0] : (tensor<3x4xf64>) -> tensor<4x3xf64>
  %w = stablehlo.reshape %x : (tensor<3x4xf64>) -> tensor<4x3xf64>
  %t = "stablehlo.scatter"(%w, %i, %u) ({
  ^bb0(%a: tensor<f64>, %b: tensor<f64>):
    %s = stablehlo.multiply %a, %b : tensor<f64>
    stablehlo.return %s : tensor<f64>
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1], inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>, unique_indices = true} : (tensor<4x3xf64>, tensor<4x1xi32>, tensor<4x3xf64>) -> tensor<4x3xf64>
  %r = stablehlo.multiply %t, %t : tensor<4x3xf64>
  return %r : tensor<4x3xf64>
}

func.func public @scatter_of_windows_that_leave(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %i = stablehlo.constant dense<[2, -1]> : tensor<2xi32>
  %u = stablehlo.slice %y [0:2, 1:3] : (tensor<3x4xf64>) -> tensor<2x2xf64>
  %t = "stablehlo.scatter"(%x, %i, %u) ({
  ^bb0(%a: tensor<f64>, %b: tensor<f64>):
    %s = stablehlo.add %a, %b : tensor<f64>
    stablehlo.return %s : tensor<f64>
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [0, 1], scatter_dims_to_operand_dims = [0, 1]>, unique_indices = false} : (tensor<3x4xf64>, tensor<2xi32>, tensor<2x2xf64>) -> tensor<3x4xf64>
  %r = stablehlo.multiply %t, %t : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @sort(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %t:2 = "stablehlo.sort"(%x, %y) ({
  ^bb0(%a: tensor<f64>, %b: tensor<f64>, %c: tensor<f64>, %d: tensor<f64>):
    %p = stablehlo.compare GT, %a, %b : (tensor<f64>, tensor<f64>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  }) {dimension = 1 : i64, is_stable = true} : (tensor<3x4xf64>, tensor<3x4xf64>) -> (tensor<3x4xf64>, tensor<3x4xf64>)
  %r = stablehlo.multiply %t#0, %t#1 : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @top_k(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x2xf64> {
  %v, %i = chlo.top_k(%x, k = 2) : tensor<3x4xf64> -> (tensor<3x2xf64>, tensor<3x2xi32>)
  %r = stablehlo.multiply %v, %v : tensor<3x2xf64>
  return %r : tensor<3x2xf64>
}

func.func public @reduce_to_sum(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<4xf64> {
  %i = stablehlo.constant dense<0.0> : tensor<f64>
  %t = stablehlo.reduce(%x init: %i) applies stablehlo.add across dimensions = [0] : (tensor<3x4xf64>, tensor<f64>) -> tensor<4xf64>
  %r = stablehlo.multiply %t, %t : tensor<4xf64>
  return %r : tensor<4xf64>
}

func.func public @window_sum(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x2xf64> {
  %i = stablehlo.constant dense<0.0> : tensor<f64>
  %t = "stablehlo.reduce_window"(%x, %i) ({
  ^bb0(%a: tensor<f64>, %b: tensor<f64>):
    %s = stablehlo.add %a, %b : tensor<f64>
    stablehlo.return %s : tensor<f64>
  }) {window_dimensions = array<i64: 2, 3>, window_strides = array<i64: 1, 2>, padding = dense<[[1, 0], [0, 1]]> : tensor<2x2xi64>} : (tensor<3x4xf64>, tensor<f64>) -> tensor<3x2xf64>
  %r = stablehlo.multiply %t, %t : tensor<3x2xf64>
  return %r : tensor<3x2xf64>
}

func.func public @running_sum(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %i = stablehlo.constant dense<0.0> : tensor<f64>
  %t = "stablehlo.reduce_window"(%x, %i) ({
  ^bb0(%a: tensor<f64>, %b: tensor<f64>):
    %s = stablehlo.add %a, %b : tensor<f64>
    stablehlo.return %s : tensor<f64>
  }) {window_dimensions = array<i64: 1, 4>, padding = dense<[[0, 0], [3, 0]]> : tensor<2x2xi64>} : (tensor<3x4xf64>, tensor<f64>) -> tensor<3x4xf64>
  %r = stablehlo.multiply %t, %t : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @reduce_to_product(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<4xf64> {
  %i = stablehlo.constant dense<1.0> : tensor<f64>
  %t = stablehlo.reduce(%x init: %i) applies stablehlo.multiply across dimensions = [0] : (tensor<3x4xf64>, tensor<f64>) -> tensor<4xf64>
  %r = stablehlo.multiply %t, %t : tensor<4xf64>
  return %r : tensor<4xf64>
}

func.func public @window_product(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x2xf64> {
  %i = stablehlo.constant dense<1.0> : tensor<f64>
  %t = "stablehlo.reduce_window"(%x, %i) ({
  ^bb0(%a: tensor<f64>, %b: tensor<f64>):
    %s = stablehlo.multiply %a, %b : tensor<f64>
    stablehlo.return %s : tensor<f64>
  }) {window_dimensions = array<i64: 2, 3>, window_strides = array<i64: 1, 2>, padding = dense<[[1, 0], [0, 1]]> : tensor<2x2xi64>} : (tensor<3x4xf64>, tensor<f64>) -> tensor<3x2xf64>
  %r = stablehlo.multiply %t, %t : tensor<3x2xf64>
  return %r : tensor<3x2xf64>
}

func.func public @running_product(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %i = stablehlo.constant dense<1.0> : tensor<f64>
  %t = "stablehlo.reduce_window"(%x, %i) ({
  ^bb0(%a: tensor<f64>, %b: tensor<f64>):
    %s = stablehlo.multiply %a, %b : tensor<f64>
    stablehlo.return %s : tensor<f64>
  }) {window_dimensions = array<i64: 1, 4>, padding = dense<[[0, 0], [3, 0]]> : tensor<2x2xi64>} : (tensor<3x4xf64>, tensor<f64>) -> tensor<3x4xf64>
  %r = stablehlo.multiply %t, %t : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @reduce_to_largest(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<4xf64> {
  %i = stablehlo.constant dense<0xFFF0000000000000> : tensor<f64>
  %t = stablehlo.reduce(%x init: %i) applies stablehlo.maximum across dimensions = [0] : (tensor<3x4xf64>, tensor<f64>) -> tensor<4xf64>
  %r = stablehlo.multiply %t, %t : tensor<4xf64>
  return %r : tensor<4xf64>
}

func.func public @window_largest(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x2xf64> {
  %i = stablehlo.constant dense<0xFFF0000000000000> : tensor<f64>
  %t = "stablehlo.reduce_window"(%x, %i) ({
  ^bb0(%a: tensor<f64>, %b: tensor<f64>):
    %s = stablehlo.maximum %a, %b : tensor<f64>
    stablehlo.return %s : tensor<f64>
  }) {window_dimensions = array<i64: 2, 3>, window_strides = array<i64: 1, 2>, padding = dense<[[1, 0], [0, 1]]> : tensor<2x2xi64>} : (tensor<3x4xf64>, tensor<f64>) -> tensor<3x2xf64>
  %r = stablehlo.multiply %t, %t : tensor<3x2xf64>
  return %r : tensor<3x2xf64>
}

func.func public @running_largest(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %i = stablehlo.constant dense<0xFFF0000000000000> : tensor<f64>
  %t = "stablehlo.reduce_window"(%x, %i) ({
  ^bb0(%a: tensor<f64>, %b: tensor<f64>):
    %s = stablehlo.maximum %a, %b : tensor<f64>
    stablehlo.return %s : tensor<f64>
  }) {window_dimensions = array<i64: 1, 4>, padding = dense<[[0, 0], [3, 0]]> : tensor<2x2xi64>} : (tensor<3x4xf64>, tensor<f64>) -> tensor<3x4xf64>
  %r = stablehlo.multiply %t, %t : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @reduce_to_least(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<4xf64> {
  %i = stablehlo.constant dense<0x7FF0000000000000> : tensor<f64>
  %t = stablehlo.reduce(%x init: %i) applies stablehlo.minimum across dimensions = [0] : (tensor<3x4xf64>, tensor<f64>) -> tensor<4xf64>
  %r = stablehlo.multiply %t, %t : tensor<4xf64>
  return %r : tensor<4xf64>
}

func.func public @window_least(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x2xf64> {
  %i = stablehlo.constant dense<0x7FF0000000000000> : tensor<f64>
  %t = "stablehlo.reduce_window"(%x, %i) ({
  ^bb0(%a: tensor<f64>, %b: tensor<f64>):
    %s = stablehlo.minimum %a, %b : tensor<f64>
    stablehlo.return %s : tensor<f64>
  }) {window_dimensions = array<i64: 2, 3>, window_strides = array<i64: 1, 2>, padding = dense<[[1, 0], [0, 1]]> : tensor<2x2xi64>} : (tensor<3x4xf64>, tensor<f64>) -> tensor<3x2xf64>
  %r = stablehlo.multiply %t, %t : tensor<3x2xf64>
  return %r : tensor<3x2xf64>
}

func.func public @running_least(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %i = stablehlo.constant dense<0x7FF0000000000000> : tensor<f64>
  %t = "stablehlo.reduce_window"(%x, %i) ({
  ^bb0(%a: tensor<f64>, %b: tensor<f64>):
    %s = stablehlo.minimum %a, %b : tensor<f64>
    stablehlo.return %s : tensor<f64>
  }) {window_dimensions = array<i64: 1, 4>, padding = dense<[[0, 0], [0, 3]]> : tensor<2x2xi64>} : (tensor<3x4xf64>, tensor<f64>) -> tensor<3x4xf64>
  %r = stablehlo.multiply %t, %t : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @reduce_to_place(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3xf64> {
  %i = stablehlo.constant dense<0.0> : tensor<f64>
  %n = stablehlo.constant dense<0> : tensor<i32>
  %k = stablehlo.iota dim = 1 : tensor<3x4xi32>
  %t:2 = stablehlo.reduce(%x init: %i), (%k init: %n) across dimensions = [1] : (tensor<3x4xf64>, tensor<3x4xi32>, tensor<f64>, tensor<i32>) -> (tensor<3xf64>, tensor<3xi32>)
  reducer(%a: tensor<f64>, %b: tensor<f64>) (%c: tensor<i32>, %d: tensor<i32>) {
    %p = stablehlo.compare GE, %a, %b : (tensor<f64>, tensor<f64>) -> tensor<i1>
    %s = stablehlo.select %p, %a, %b : tensor<i1>, tensor<f64>
    %e = stablehlo.select %p, %c, %d : tensor<i1>, tensor<i32>
    stablehlo.return %s, %e : tensor<f64>, tensor<i32>
  }
  %r = stablehlo.multiply %t#0, %t#0 : tensor<3xf64>
  return %r : tensor<3xf64>
}

func.func public @window_sum_with_holes(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<5x3xf64> {
  %i = stablehlo.constant dense<0.0> : tensor<f64>
  %t = "stablehlo.reduce_window"(%x, %i) ({
  ^bb0(%a: tensor<f64>, %b: tensor<f64>):
    %s = stablehlo.add %a, %b : tensor<f64>
    stablehlo.return %s : tensor<f64>
  }) {window_dimensions = array<i64: 2, 2>, base_dilations = array<i64: 2, 1>, window_dilations = array<i64: 1, 2>, padding = dense<[[1, 0], [0, 1]]> : tensor<2x2xi64>} : (tensor<3x4xf64>, tensor<f64>) -> tensor<5x3xf64>
  %r = stablehlo.multiply %t, %t : tensor<5x3xf64>
  return %r : tensor<5x3xf64>
}

func.func public @select_and_scatter(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %i = stablehlo.constant dense<0.0> : tensor<f64>
  %u = stablehlo.slice %y [0:2, 0:2] : (tensor<3x4xf64>) -> tensor<2x2xf64>
  %t = "stablehlo.select_and_scatter"(%x, %u, %i) ({
  ^bb0(%a: tensor<f64>, %b: tensor<f64>):
    %p = stablehlo.compare GE, %a, %b : (tensor<f64>, tensor<f64>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  }, {
  ^bb0(%a: tensor<f64>, %b: tensor<f64>):
    %s = stablehlo.add %a, %b : tensor<f64>
    stablehlo.return %s : tensor<f64>
  }) {window_dimensions = array<i64: 2, 3>, window_strides = array<i64: 1, 1>} : (tensor<3x4xf64>, tensor<2x2xf64>, tensor<f64>) -> tensor<3x4xf64>
  %r = stablehlo.multiply %t, %t : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @dot(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x3xf64> {
  %r = stablehlo.dot_general %x, %y, contracting_dims = [1] x [1] : (tensor<3x4xf64>, tensor<3x4xf64>) -> tensor<3x3xf64>
  return %r : tensor<3x3xf64>
}

func.func public @dot_with_batches(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<4xf64> {
  %r = stablehlo.dot_general %x, %y, batching_dims = [1] x [1], contracting_dims = [0] x [0] : (tensor<3x4xf64>, tensor<3x4xf64>) -> tensor<4xf64>
  return %r : tensor<4xf64>
}

func.func public @dot_of_outer(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4x4xf64> {
  %r = stablehlo.dot_general %x, %y, batching_dims = [0] x [0], contracting_dims = [] x [] : (tensor<3x4xf64>, tensor<3x4xf64>) -> tensor<3x4x4xf64>
  return %r : tensor<3x4x4xf64>
}

func.func public @convolution(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<1x1x1x9xf64> {
  %a = stablehlo.reshape %x : (tensor<3x4xf64>) -> tensor<1x1x3x4xf64>
  %s = stablehlo.slice %y [0:2, 0:2] : (tensor<3x4xf64>) -> tensor<2x2xf64>
  %k = stablehlo.reshape %s : (tensor<2x2xf64>) -> tensor<1x1x2x2xf64>
  %r = stablehlo.convolution(%a, %k) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1], window = {stride = [2, 1], pad = [[1, 0], [2, 1]], lhs_dilate = [1, 2], rhs_dilate = [2, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x1x3x4xf64>, tensor<1x1x2x2xf64>) -> tensor<1x1x1x9xf64>
  return %r : tensor<1x1x1x9xf64>
}

func.func public @convolution_reversed(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<1x1x3x3xf64> {
  %a = stablehlo.reshape %x : (tensor<3x4xf64>) -> tensor<1x1x3x4xf64>
  %s = stablehlo.slice %y [0:2, 0:2] : (tensor<3x4xf64>) -> tensor<2x2xf64>
  %k = stablehlo.reshape %s : (tensor<2x2xf64>) -> tensor<1x1x2x2xf64>
  %r = stablehlo.convolution(%a, %k) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1], window = {pad = [[1, 0], [0, 0]], reverse = [true, false]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x1x3x4xf64>, tensor<1x1x2x2xf64>) -> tensor<1x1x3x3xf64>
  return %r : tensor<1x1x3x3xf64>
}

func.func public @convolution_of_less(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<1x1x3x2xf64> {
  %a = stablehlo.reshape %x : (tensor<3x4xf64>) -> tensor<1x1x3x4xf64>
  %s = stablehlo.slice %y [0:2, 0:2] : (tensor<3x4xf64>) -> tensor<2x2xf64>
  %k = stablehlo.reshape %s : (tensor<2x2xf64>) -> tensor<1x1x2x2xf64>
  %r = stablehlo.convolution(%a, %k) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1], window = {stride = [1, 2], pad = [[-1, 2], [1, -1]]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x1x3x4xf64>, tensor<1x1x2x2xf64>) -> tensor<1x1x3x2xf64>
  return %r : tensor<1x1x3x2xf64>
}

func.func public @convolution_of_feature_groups(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<1x2x2xf64> {
  %a = stablehlo.reshape %x : (tensor<3x4xf64>) -> tensor<1x3x4xf64>
  %k = stablehlo.reshape %y : (tensor<3x4xf64>) -> tensor<3x2x2xf64>
  %r = stablehlo.convolution(%a, %k) dim_numbers = [b, 0, f]x[0, i, o]->[b, 0, f], window = {pad = [[1, 0]]} {batch_group_count = 1 : i64, feature_group_count = 2 : i64} : (tensor<1x3x4xf64>, tensor<3x2x2xf64>) -> tensor<1x2x2xf64>
  return %r : tensor<1x2x2xf64>
}

func.func public @convolution_of_batch_groups(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<1x2x2xf64> {
  %a = stablehlo.reshape %x : (tensor<3x4xf64>) -> tensor<2x3x2xf64>
  %k = stablehlo.reshape %y : (tensor<3x4xf64>) -> tensor<3x2x2xf64>
  %r = stablehlo.convolution(%a, %k) dim_numbers = [b, 0, f]x[0, i, o]->[b, 0, f], window = {pad = [[1, 0]]} {batch_group_count = 2 : i64, feature_group_count = 1 : i64} : (tensor<2x3x2xf64>, tensor<3x2x2xf64>) -> tensor<1x2x2xf64>
  return %r : tensor<1x2x2xf64>
}

func.func public @barrier(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %t:2 = stablehlo.optimization_barrier %x, %y : tensor<3x4xf64>, tensor<3x4xf64>
  %r = stablehlo.multiply %t#0, %t#1 : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @real_fft(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x3xf64> {
  %t = stablehlo.fft %x, type = RFFT, length = [4] : (tensor<3x4xf64>) -> tensor<3x3xcomplex<f64>>
  %a = stablehlo.real %t : (tensor<3x3xcomplex<f64>>) -> tensor<3x3xf64>
  %b = stablehlo.imag %t : (tensor<3x3xcomplex<f64>>) -> tensor<3x3xf64>
  %s = stablehlo.sine %b : tensor<3x3xf64>
  %r = stablehlo.multiply %a, %s : tensor<3x3xf64>
  return %r : tensor<3x3xf64>
}

func.func public @inverse_real_fft(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x7xf64> {
  %c = stablehlo.complex %x, %y : tensor<3x4xcomplex<f64>>
  %t = stablehlo.fft %c, type = IRFFT, length = [7] : (tensor<3x4xcomplex<f64>>) -> tensor<3x7xf64>
  %r = stablehlo.multiply %t, %t : tensor<3x7xf64>
  return %r : tensor<3x7xf64>
}

func.func public @cholesky(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x3xf64> {
  %a = stablehlo.dot_general %x, %x, contracting_dims = [1] x [1] : (tensor<3x4xf64>, tensor<3x4xf64>) -> tensor<3x3xf64>
  %b = stablehlo.slice %y [0:3, 0:3] : (tensor<3x4xf64>) -> tensor<3x3xf64>
  %d = stablehlo.constant dense<[[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]]> : tensor<3x3xf64>
  %e = stablehlo.add %a, %d : tensor<3x3xf64>
  %f = stablehlo.add %e, %b : tensor<3x3xf64>
  %r = stablehlo.cholesky %f, lower = true : tensor<3x3xf64>
  return %r : tensor<3x3xf64>
}

func.func public @triangular_solve_0(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %a = stablehlo.slice %x [0:3, 0:3] : (tensor<3x4xf64>) -> tensor<3x3xf64>
  %b = stablehlo.slice %y [0:3, 0:4] : (tensor<3x4xf64>) -> tensor<3x4xf64>
  %r = "stablehlo.triangular_solve"(%a, %b) {left_side = true, lower = true, unit_diagonal = false, transpose_a = #stablehlo<transpose NO_TRANSPOSE>} : (tensor<3x3xf64>, tensor<3x4xf64>) -> tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @triangular_solve_1(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %a = stablehlo.slice %x [0:3, 0:3] : (tensor<3x4xf64>) -> tensor<3x3xf64>
  %b = stablehlo.slice %y [0:3, 0:4] : (tensor<3x4xf64>) -> tensor<3x4xf64>
  %r = "stablehlo.triangular_solve"(%a, %b) {left_side = true, lower = false, unit_diagonal = true, transpose_a = #stablehlo<transpose TRANSPOSE>} : (tensor<3x3xf64>, tensor<3x4xf64>) -> tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @triangular_solve_2(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<2x3xf64> {
  %a = stablehlo.slice %x [0:3, 0:3] : (tensor<3x4xf64>) -> tensor<3x3xf64>
  %b = stablehlo.slice %y [0:2, 0:3] : (tensor<3x4xf64>) -> tensor<2x3xf64>
  %r = "stablehlo.triangular_solve"(%a, %b) {left_side = false, lower = true, unit_diagonal = false, transpose_a = #stablehlo<transpose ADJOINT>} : (tensor<3x3xf64>, tensor<2x3xf64>) -> tensor<2x3xf64>
  return %r : tensor<2x3xf64>
}

func.func public @batch_norm_training(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %s = stablehlo.slice %y [0:1, 0:4] : (tensor<3x4xf64>) -> tensor<1x4xf64>
  %g = stablehlo.reshape %s : (tensor<1x4xf64>) -> tensor<4xf64>
  %t:3 = "stablehlo.batch_norm_training"(%x, %g, %g) {epsilon = 0.1 : f32, feature_index = 1 : i64} : (tensor<3x4xf64>, tensor<4xf64>, tensor<4xf64>) -> (tensor<3x4xf64>, tensor<4xf64>, tensor<4xf64>)
  %m = stablehlo.broadcast_in_dim %t#1, dims = [1] : (tensor<4xf64>) -> tensor<3x4xf64>
  %r = stablehlo.multiply %t#0, %m : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @if(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %q = stablehlo.constant dense<0.0> : tensor<f64>
  %s = stablehlo.slice %x [0:1, 0:1] : (tensor<3x4xf64>) -> tensor<1x1xf64>
  %e = stablehlo.reshape %s : (tensor<1x1xf64>) -> tensor<f64>
  %p = stablehlo.compare LT, %e, %q : (tensor<f64>, tensor<f64>) -> tensor<i1>
  %r = "stablehlo.if"(%p) ({
    %a = stablehlo.multiply %x, %y : tensor<3x4xf64>
    stablehlo.return %a : tensor<3x4xf64>
  }, {
    %b = stablehlo.sine %x : tensor<3x4xf64>
    stablehlo.return %b : tensor<3x4xf64>
  }) : (tensor<i1>) -> tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @while(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %i = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %n = stablehlo.constant dense<4> : tensor<i32>
  %t:2 = stablehlo.while(%k = %i, %v = %x) : tensor<i32>, tensor<3x4xf64>
  cond {
    %p = stablehlo.compare LT, %k, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %l = stablehlo.dynamic_slice %y, %k, %i, sizes = [1, 4] : (tensor<3x4xf64>, tensor<i32>, tensor<i32>) -> tensor<1x4xf64>
    %f = stablehlo.reshape %l : (tensor<1x4xf64>) -> tensor<4xf64>
    %b = stablehlo.broadcast_in_dim %f, dims = [1] : (tensor<4xf64>) -> tensor<3x4xf64>
    %w = stablehlo.multiply %v, %b : tensor<3x4xf64>
    %s = stablehlo.sine %w : tensor<3x4xf64>
    %m = stablehlo.add %k, %one : tensor<i32>
    stablehlo.return %m, %s : tensor<i32>, tensor<3x4xf64>
  }
  %r = stablehlo.add %t#1, %x : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @while_of_no_round(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %i = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %n = stablehlo.constant dense<0> : tensor<i32>
  %t:2 = stablehlo.while(%k = %i, %v = %x) : tensor<i32>, tensor<3x4xf64>
  cond {
    %p = stablehlo.compare LT, %k, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %l = stablehlo.dynamic_slice %y, %k, %i, sizes = [1, 4] : (tensor<3x4xf64>, tensor<i32>, tensor<i32>) -> tensor<1x4xf64>
    %f = stablehlo.reshape %l : (tensor<1x4xf64>) -> tensor<4xf64>
    %b = stablehlo.broadcast_in_dim %f, dims = [1] : (tensor<4xf64>) -> tensor<3x4xf64>
    %w = stablehlo.multiply %v, %b : tensor<3x4xf64>
    %s = stablehlo.sine %w : tensor<3x4xf64>
    %m = stablehlo.add %k, %one : tensor<i32>
    stablehlo.return %m, %s : tensor<i32>, tensor<3x4xf64>
  }
  %r = stablehlo.add %t#1, %x : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @while_of_one_round(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %i = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %n = stablehlo.constant dense<1> : tensor<i32>
  %t:2 = stablehlo.while(%k = %i, %v = %x) : tensor<i32>, tensor<3x4xf64>
  cond {
    %p = stablehlo.compare LT, %k, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %l = stablehlo.dynamic_slice %y, %k, %i, sizes = [1, 4] : (tensor<3x4xf64>, tensor<i32>, tensor<i32>) -> tensor<1x4xf64>
    %f = stablehlo.reshape %l : (tensor<1x4xf64>) -> tensor<4xf64>
    %b = stablehlo.broadcast_in_dim %f, dims = [1] : (tensor<4xf64>) -> tensor<3x4xf64>
    %w = stablehlo.multiply %v, %b : tensor<3x4xf64>
    %s = stablehlo.sine %w : tensor<3x4xf64>
    %m = stablehlo.add %k, %one : tensor<i32>
    stablehlo.return %m, %s : tensor<i32>, tensor<3x4xf64>
  }
  %r = stablehlo.add %t#1, %x : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}

func.func public @while_of_slices_read_once(%x: tensor<3x4xf64>, %y: tensor<3x4xf64>) -> tensor<3x4xf64> {
  %i = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %n = stablehlo.constant dense<3> : tensor<i32>
  %t:2 = stablehlo.while(%k = %i, %v = %x) : tensor<i32>, tensor<3x4xf64>
  cond {
    %p = stablehlo.compare LT, %k, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %l = stablehlo.dynamic_slice %y, %k, %i, sizes = [1, 4] : (tensor<3x4xf64>, tensor<i32>, tensor<i32>) -> tensor<1x4xf64>
    %f = stablehlo.reshape %l : (tensor<1x4xf64>) -> tensor<4xf64>
    %b = stablehlo.broadcast_in_dim %f, dims = [1] : (tensor<4xf64>) -> tensor<3x4xf64>
    %w = stablehlo.multiply %v, %b : tensor<3x4xf64>
    %s = stablehlo.sine %w : tensor<3x4xf64>
    %m = stablehlo.add %k, %one : tensor<i32>
    stablehlo.return %m, %s : tensor<i32>, tensor<3x4xf64>
  }
  %r = stablehlo.add %t#1, %y : tensor<3x4xf64>
  return %r : tensor<3x4xf64>
}
