module @calls {
  func.func public @main(%arg0: tensor<?x4xf32>, %arg1: tensor<i32>, %arg2: tensor<3x3xf32>, %arg3: tensor<4xcomplex<f32>>, %arg4: tensor<2xui64>) -> (tensor<?x4xf32>, tensor<?x4xf32>, tensor<f32>, tensor<3x3xf32>, tensor<4xcomplex<f32>>, tensor<5xui32>, tensor<3x3xf32>) {
    %four = stablehlo.constant dense<4> : tensor<1xi32>
    %one = stablehlo.constant dense<1.000000e+00> : tensor<f32>
    %size = stablehlo.get_dimension_size %arg0, dim = 0 : (tensor<?x4xf32>) -> tensor<i32>
    %least = stablehlo.constant dense<1> : tensor<i32>
    %large = stablehlo.compare GE, %size, %least, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.custom_call @shape_assertion(%large, %size) {api_version = 2 : i32, error_message = "x has {0} rows", has_side_effect = true} : (tensor<i1>, tensor<i32>) -> ()
    %list = stablehlo.reshape %size : (tensor<i32>) -> tensor<1xi32>
    %shape = stablehlo.concatenate %list, %four, dim = 0 : (tensor<1xi32>, tensor<1xi32>) -> tensor<2xi32>
    %ones = stablehlo.dynamic_broadcast_in_dim %one, %shape, dims = [] : (tensor<f32>, tensor<2xi32>) -> tensor<?x4xf32>
    %error = stablehlo.custom_call @mhlo.erf(%arg0) {mhlo.attributes = {}, mhlo.version = 1 : i64} : (tensor<?x4xf32>) -> tensor<?x4xf32>
    %sum = stablehlo.add %error, %ones : tensor<?x4xf32>
    %sine = stablehlo.composite "chlo.asin" %sum {composite_attributes = {}, decomposition = @chlo.asin.impl} : (tensor<?x4xf32>) -> tensor<?x4xf32>
    %branch = "stablehlo.case"(%arg1) ({
      %a = stablehlo.constant dense<2.500000e+00> : tensor<f32>
      stablehlo.return %a : tensor<f32>
    }, {
      stablehlo.return %one : tensor<f32>
    }) : (tensor<i32>) -> tensor<f32>
    %square = "stablehlo.triangular_solve"(%arg2, %arg2) <{left_side = true, lower = true, transpose_a = #stablehlo<transpose TRANSPOSE>, unit_diagonal = false}> : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
    %spectrum = stablehlo.fft %arg3, type = FFT, length = [4] : (tensor<4xcomplex<f32>>) -> tensor<4xcomplex<f32>>
    %state, %bits = stablehlo.rng_bit_generator %arg4, algorithm = THREE_FRY : (tensor<2xui64>) -> (tensor<2xui64>, tensor<5xui32>)
    %factor = stablehlo.cholesky %arg2, lower = true : tensor<3x3xf32>
    return %sum, %sine, %branch, %square, %spectrum, %bits, %factor : tensor<?x4xf32>, tensor<?x4xf32>, tensor<f32>, tensor<3x3xf32>, tensor<4xcomplex<f32>>, tensor<5xui32>, tensor<3x3xf32>
  }
  func.func private @chlo.asin.impl(%arg0: tensor<?x4xf32>) -> tensor<?x4xf32> {
    return %arg0 : tensor<?x4xf32>
  }
}
